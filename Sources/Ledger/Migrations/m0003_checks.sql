-- What keys cannot say, checked for whoever inserts.

CREATE FUNCTION ledger.check_reservation() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  asked ledger.request;
  decided ledger.decision;
  before ledger.reservation;
  moment timestamptz;
BEGIN
  SELECT * INTO STRICT asked FROM ledger.request WHERE request_id = NEW.request_id;
  SELECT * INTO STRICT decided FROM ledger.decision WHERE request_id = NEW.request_id;
  IF decided.kind <> 'enroll' OR decided.effect <> 'permit' THEN
    RAISE EXCEPTION 'only a permitted enrollment can be reserved' USING ERRCODE = 'GH001';
  END IF;
  moment := ledger.moment(decided.decided_at);
  IF NEW.signing_deadline > moment + interval '5 minutes' THEN
    RAISE EXCEPTION 'the signing deadline is too far' USING ERRCODE = 'GH013';
  END IF;
  IF NEW.not_after > decided.max_not_after THEN
    RAISE EXCEPTION 'validity exceeds the decision' USING ERRCODE = 'GH002';
  END IF;
  IF NEW.public_key IS DISTINCT FROM asked.public_key THEN
    RAISE EXCEPTION 'key differs from the request' USING ERRCODE = 'GH003';
  END IF;
  IF NEW.tbs_sha256 <> sha256(NEW.tbs) THEN
    RAISE EXCEPTION 'digest differs from the TBSCertificate' USING ERRCODE = 'GH004';
  END IF;
  IF NEW.transaction_key IS DISTINCT FROM asked.transaction_key OR NEW.service IS DISTINCT FROM asked.service
     OR NEW.device_id IS DISTINCT FROM asked.device_id OR NEW.profile IS DISTINCT FROM decided.profile THEN
    RAISE EXCEPTION 'transaction, service, device or profile differs' USING ERRCODE = 'GH005';
  END IF;
  IF position(NEW.serial IN NEW.tbs) = 0 THEN
    RAISE EXCEPTION 'serial is not in the TBSCertificate' USING ERRCODE = 'GH004';
  END IF;
  IF NEW.predecessor IS NOT NULL THEN
    SELECT * INTO STRICT before FROM ledger.reservation WHERE request_id = NEW.predecessor;
    IF before.transaction_key <> NEW.transaction_key OR before.number <> NEW.number - 1 THEN
      RAISE EXCEPTION 'predecessor is not the attempt before' USING ERRCODE = 'GH006';
    END IF;
    IF EXISTS (SELECT FROM ledger.outcome WHERE request_id = NEW.predecessor AND result = 'completed')
       AND before.not_after > moment
       AND NOT EXISTS (SELECT FROM ledger.revocation WHERE issuer = before.issuer AND serial = before.serial) THEN
      RAISE EXCEPTION 'the transaction has a live certificate' USING ERRCODE = 'GH007';
    END IF;
  END IF;
  -- The credential that the recorded request names must be this transaction's own.
  IF asked.credential_id IS NOT NULL AND NOT ledger.credential_serves(asked, NEW.device_id) THEN
    RAISE EXCEPTION 'the credential does not serve this transaction' USING ERRCODE = 'GH008';
  END IF;
  RETURN NEW;
END $$;

-- Whether the credential of a request was consumed for its transaction, or bound the account that orders.
CREATE FUNCTION ledger.credential_serves(asked ledger.request, device text) RETURNS boolean LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (
      SELECT FROM ledger.credential AS c JOIN ledger.credential_event AS used USING (credential_id)
      LEFT JOIN ledger.account AS a USING (credential_id)
      WHERE c.credential_id = asked.credential_id AND c.device_id = device AND c.service = asked.service
        AND ((used.kind = 'consume' AND used.transaction_key = asked.transaction_key)
          OR (used.kind = 'bind' AND a.device_id = device AND a.service = asked.service)))
    AND NOT EXISTS (SELECT FROM ledger.credential_event
      WHERE credential_id = asked.credential_id AND kind = 'revoke')
$$;

-- A DER certificate is a SEQUENCE that begins with its TBSCertificate (RFC 5280 §4.1).
CREATE FUNCTION ledger.contains_tbs(der bytea, tbs bytea) RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  octets integer;
  announced bigint := 0;
  header integer;
BEGIN
  IF octet_length(der) < 8 OR get_byte(der, 0) <> 48 THEN RETURN false; END IF;
  octets := get_byte(der, 1);
  IF octets < 128 THEN
    announced := octets;
    header := 2;
  ELSE
    octets := octets - 128;
    IF octets NOT BETWEEN 1 AND 3 THEN RETURN false; END IF;
    FOR i IN 0 .. octets - 1 LOOP announced := announced * 256 + get_byte(der, 2 + i); END LOOP;
    header := 2 + octets;
  END IF;
  RETURN announced + header = octet_length(der) AND octet_length(der) > header + octet_length(tbs)
    AND substring(der FROM header + 1 FOR octet_length(tbs)) = tbs;
END $$;

CREATE FUNCTION ledger.check_certificate() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  reserved ledger.reservation;
BEGIN
  SELECT * INTO STRICT reserved FROM ledger.reservation WHERE request_id = NEW.request_id;
  IF NEW.certificate_sha256 <> sha256(NEW.der) THEN
    RAISE EXCEPTION 'digest differs from the certificate' USING ERRCODE = 'GH004';
  END IF;
  IF NOT ledger.contains_tbs(NEW.der, reserved.tbs) THEN
    RAISE EXCEPTION 'the certificate does not carry its reserved TBSCertificate' USING ERRCODE = 'GH009';
  END IF;
  RETURN NEW;
END $$;

-- A use is of a credential that is there, for this service and device, unrevoked, by this request's transaction.
CREATE FUNCTION ledger.check_credential_event() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  minted ledger.credential;
  asked ledger.request;
  held ledger.credential_event;
  moment timestamptz;
BEGIN
  SELECT * INTO STRICT minted FROM ledger.credential WHERE credential_id = NEW.credential_id FOR UPDATE;
  IF NEW.kind NOT IN ('consume', 'bind', 'defer') THEN RETURN NEW; END IF;
  SELECT * INTO STRICT asked FROM ledger.request WHERE request_id = NEW.request_id;
  IF asked.credential_id IS DISTINCT FROM NEW.credential_id OR asked.service IS DISTINCT FROM minted.service
     OR asked.device_id IS DISTINCT FROM minted.device_id
     OR asked.protocol <> coalesce(minted.restricted_to, asked.protocol)
     OR asked.transaction_key IS DISTINCT FROM NEW.transaction_key THEN
    RAISE EXCEPTION 'the credential was minted for another use' USING ERRCODE = 'GH008';
  END IF;
  IF EXISTS (SELECT FROM ledger.credential_event WHERE credential_id = NEW.credential_id AND kind = 'revoke') THEN
    RAISE EXCEPTION 'the credential is revoked' USING ERRCODE = 'GH008';
  END IF;
  moment := ledger.moment(NEW.at);
  SELECT * INTO held FROM ledger.credential_event
  WHERE credential_id = NEW.credential_id AND kind = 'defer' ORDER BY hold_until DESC LIMIT 1;
  IF FOUND AND moment < held.hold_until THEN
    IF held.transaction_key <> NEW.transaction_key THEN
      RAISE EXCEPTION 'the credential is held by another transaction' USING ERRCODE = 'GH008';
    END IF;
  ELSIF moment >= minted.expires_at THEN
    RAISE EXCEPTION 'the credential is expired' USING ERRCODE = 'GH008';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION ledger.check_account() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM ledger.credential AS c JOIN ledger.credential_event AS used USING (credential_id)
  WHERE c.credential_id = NEW.credential_id AND c.service = NEW.service AND c.device_id = NEW.device_id
    AND used.kind = 'bind' AND used.request_id = NEW.request_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the credential does not bind this account' USING ERRCODE = 'GH008';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER check_reservation BEFORE INSERT ON ledger.reservation
  FOR EACH ROW EXECUTE FUNCTION ledger.check_reservation();
CREATE TRIGGER check_certificate BEFORE INSERT ON ledger.certificate
  FOR EACH ROW EXECUTE FUNCTION ledger.check_certificate();
CREATE TRIGGER check_credential_event BEFORE INSERT ON ledger.credential_event
  FOR EACH ROW EXECUTE FUNCTION ledger.check_credential_event();
CREATE TRIGGER check_account BEFORE INSERT ON ledger.account
  FOR EACH ROW EXECUTE FUNCTION ledger.check_account();
ALTER TABLE ledger.reservation ENABLE ALWAYS TRIGGER check_reservation;
ALTER TABLE ledger.certificate ENABLE ALWAYS TRIGGER check_certificate;
ALTER TABLE ledger.credential_event ENABLE ALWAYS TRIGGER check_credential_event;
ALTER TABLE ledger.account ENABLE ALWAYS TRIGGER check_account;
