#!/usr/bin/env python3
"""Has proofbundle, a library that others wrote (PyPI), judge a receipt: foreign_proof.py VKEY RECEIPT WITNESS.

A receipt is a C2SP tlog-proof whose extra data is the entry; one cosignature, of WITNESS, is demanded.
"""
import sys
from pathlib import Path

from proofbundle.tlogproof import parse_tlog_proof, verify_tlog_proof


def main(key, receipt, witness):
    key, receipt, witness = (Path(path).read_text(encoding="utf-8") for path in (key, receipt, witness))
    try:
        entry = parse_tlog_proof(receipt)["extra"]
    except ValueError as fault:
        sys.exit(f"refused: {fault}")
    verdict = verify_tlog_proof(
        receipt, entry, key.strip(), [witness.strip()], threshold=1, expected_origin=key.split("+")[0])
    print(verdict)
    if not (verdict["ok"] and verdict["log_ok"] and verdict["witnesses_ok"] and verdict["inclusion_ok"]):
        sys.exit("refused: the proof does not hold")


main(*sys.argv[1:])
