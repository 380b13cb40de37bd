// logcheck judges Gatehouse's transparency log with golang.org/x/mod, which shares no code with it.
//
//	logcheck [-witness FILE] [-tiles FOLDER|URL] [-older FILE] LOG.vkey RECEIPT
//	logcheck -sign NAME < TEXT
//
// The first form verifies a receipt: the signature of its checkpoint, the witness's cosignature, that its entry is
// in the tree; and, by proofs it makes itself from the tiles, that this tree and the older checkpoint's are one log.
// The second one signs a text with a new key, and writes that key's vkey in front of the note.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	witness := flag.String("witness", "", "the vkey `file` of a witness that must have cosigned")
	tiles := flag.String("tiles", "", "the `folder or URL` below which tile/0/000 is")
	older := flag.String("older", "", "the `file` of another checkpoint")
	sign := flag.String("sign", "", "sign standard input under this `name`")
	flag.Parse()
	var err error
	if *sign != "" {
		err = signText(*sign)
	} else if flag.NArg() == 2 {
		err = check(flag.Arg(0), flag.Arg(1), *witness, *tiles, *older)
	} else {
		flag.Usage()
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
}

func signText(name string) error {
	private, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	signed, err := note.Sign(&note.Note{Text: string(text)}, signer)
	fmt.Printf("%s\n%s", public, signed)
	return err
}

func check(keyFile, receiptFile, witnessFile, tiles, olderFile string) error {
	octets, err := os.ReadFile(receiptFile)
	if err != nil {
		return err
	}
	receipt, err := parse(octets)
	if err != nil {
		return err
	}
	log, err := keyOf(receipt.checkpoint, keyFile)
	if err != nil {
		return err
	}
	known := []note.Verifier{log}
	if witnessFile != "" {
		cosigner, err := newCosigner(witnessFile)
		if err != nil {
			return err
		}
		known = append(known, cosigner)
	}
	tree, err := open(receipt.checkpoint, known, len(known))
	if err != nil {
		return err
	}
	fmt.Println("ok: signed checkpoint of", tree.N, "entries by", len(known))
	leaf := tlog.RecordHash(receipt.extra)
	if err := tlog.CheckRecord(receipt.proof, tree.N, tree.Hash, receipt.index, leaf); err != nil {
		return err
	}
	fmt.Println("ok: entry", receipt.index, "is in the tree")
	if olderFile == "" {
		return nil
	}
	octets, err = os.ReadFile(olderFile)
	if err != nil {
		return err
	}
	if log, err = keyOf(octets, keyFile); err != nil {
		return err
	}
	old, err := open(octets, []note.Verifier{log}, 1)
	if err != nil {
		return err
	}
	if err := consistent(old, tree, tiles); err != nil {
		return err
	}
	fmt.Println("ok: the tree of", tree.N, "continues that of", old.N)
	return nil
}

// keyOf returns the key of the file, which has a line for each generation of the log, under the checkpoint's name.
func keyOf(checkpoint []byte, file string) (note.Verifier, error) {
	keys, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	name, _, _ := strings.Cut(string(checkpoint), "\n")
	for _, line := range strings.Split(string(keys), "\n") {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, name+"+") {
			return note.NewVerifier(line)
		}
	}
	return nil, errors.New("no key of " + name + " is in " + file)
}

// open returns the tree of a checkpoint signed by at least so many of the known keys, the log's being the first.
func open(signed []byte, known []note.Verifier, required int) (tlog.Tree, error) {
	var tree tlog.Tree
	opened, err := note.Open(signed, note.VerifierList(known...))
	if err != nil {
		return tree, err
	}
	if len(opened.Sigs) < required {
		return tree, errors.New("a signature is missing")
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != known[0].Name() {
		return tree, errors.New("not a checkpoint of " + known[0].Name())
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

type receipt struct {
	extra      []byte
	index      int64
	proof      tlog.RecordProof
	checkpoint []byte
}

// parse reads a c2sp.org/tlog-proof@v1 whose extra data are the entry.
func parse(octets []byte) (r receipt, err error) {
	head, checkpoint, found := bytes.Cut(octets, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return r, errors.New("not a receipt")
	}
	r.checkpoint = checkpoint
	extra, index := strings.TrimPrefix(lines[1], "extra "), strings.TrimPrefix(lines[2], "index ")
	if extra == lines[1] || index == lines[2] {
		return r, errors.New("not a receipt")
	}
	if r.extra, err = base64.StdEncoding.DecodeString(extra); err != nil {
		return r, err
	}
	if r.index, err = strconv.ParseInt(index, 10, 64); err != nil {
		return r, err
	}
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return r, err
		}
		r.proof = append(r.proof, hash)
	}
	return r, nil
}

func consistent(old, tree tlog.Tree, tiles string) error {
	if old.N > tree.N {
		old, tree = tree, old
	}
	if old.N == tree.N && old.Hash == tree.Hash {
		return nil
	}
	proof, err := tlog.ProveTree(tree.N, old.N, tlog.TileHashReader(tree, tileReader(tiles)))
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

// tileReader reads tiles as C2SP lays them out, where Go's own path has the height in front of the level.
type tileReader string

func (tileReader) Height() int { return 8 }

func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

func (base tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		octets, err := base.read("tile" + strings.TrimPrefix(tile.Path(), "tile/8"))
		if err != nil {
			return nil, err
		}
		if len(octets) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d octets", tile.Path(), len(octets))
		}
		all = append(all, octets)
	}
	return all, nil
}

func (base tileReader) read(path string) ([]byte, error) {
	if !strings.Contains(string(base), "://") {
		return os.ReadFile(filepath.Join(string(base), path))
	}
	response, err := http.Get(strings.TrimSuffix(string(base), "/") + "/" + path)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, 8193))
}

// cosigner verifies c2sp.org/tlog-cosignature v1 lines.
type cosigner struct {
	name string
	key  []byte
}

func newCosigner(file string) (cosigner, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return cosigner{}, err
	}
	parts := strings.SplitN(strings.TrimSpace(string(text)), "+", 3)
	if len(parts) != 3 {
		return cosigner{}, errors.New("not a vkey")
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return cosigner{}, errors.New("not a witness's vkey")
	}
	return cosigner{parts[0], key}, nil
}

func (c cosigner) Name() string { return c.name }

func (c cosigner) KeyHash() uint32 {
	sum := sha256.Sum256(append([]byte(c.name+"\n"), c.key...))
	return binary.BigEndian.Uint32(sum[:])
}

func (c cosigner) Verify(text, signature []byte) bool {
	if len(signature) != 72 {
		return false
	}
	seconds := binary.BigEndian.Uint64(signature)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", seconds, text)
	return ed25519.Verify(c.key[1:], []byte(signed), signature[8:])
}
