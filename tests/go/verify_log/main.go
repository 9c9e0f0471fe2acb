// Verify_log checks a published ledger with Go's own implementation of signed notes and transparency
// logs (golang.org/x/mod/sumdb), which powers the Go checksum database. Nothing of ours is in it.
//
//	verify_log -vkey FILE [-from N] [-old CHECKPOINT]... [-proof FILE]... [URL|FOLDER]
//
// It opens the checkpoint, reads every tile and every entry, holds each against the root, proves the
// inclusion of up to 200 entries, and the consistency with each older checkpoint. Without a log only
// the proof files are checked. Of a log that says that its entries below N were dropped, those from N on
// are read; the tiles tell of all.
package main

import (
	"bytes"
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

const (
	height     = 8
	width      = 1 << height
	entryBytes = 65535
)

var errMissing = errors.New("not there")

// files is the published log: a folder, or a web server's.
type files struct{ at string }

func (f files) read(name string) ([]byte, error) {
	if !strings.HasPrefix(f.at, "http") {
		data, err := os.ReadFile(filepath.Join(f.at, name))
		if errors.Is(err, os.ErrNotExist) {
			err = errMissing
		}
		return data, err
	}
	answer, err := http.Get(f.at + "/" + name)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusNotFound {
		return nil, errMissing
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", name, answer.Status)
	}
	return io.ReadAll(io.LimitReader(answer.Body, width*(entryBytes+2)))
}

// path is the name of a tile by C2SP tlog-tiles: as Go's, without the height, and "entries" for "data".
func path(tile tlog.Tile) string {
	name := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", tile.H))
	return "tile/" + strings.Replace(name, "data/", "entries/", 1)
}

// readTile reads a tile; where a partial one is gone, the full one that took its place.
func (f files) readTile(tile tlog.Tile) ([]byte, error) {
	data, err := f.read(path(tile))
	if errors.Is(err, errMissing) && tile.W < width {
		tile.W = width
		data, err = f.read(path(tile))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path(tile), err)
	}
	return data, nil
}

func (f files) Height() int { return height }

func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := f.readTile(tile)
		if err != nil {
			return nil, err
		}
		if len(data) < tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s: too short", path(tile))
		}
		all = append(all, data[:tile.W*tlog.HashSize])
	}
	return all, nil
}

func (f files) SaveTiles([]tlog.Tile, [][]byte) {}

// open checks a checkpoint's signatures and gives its tree.
func open(data []byte, verifiers []note.Verifier) (tlog.Tree, error) {
	signed, err := note.Open(data, note.VerifierList(verifiers...))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) != 4 || lines[0] != verifiers[0].Name() {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s", verifiers[0].Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// entries calls each for every entry of the log, from the bundle that holds entry from.
func (f files) entries(from, size int64, each func(n int64, entry []byte) error) error {
	for first := from / width * width; first < size; first += width {
		bundle := tlog.Tile{H: height, L: -1, N: first / width, W: width}
		if size-first < width {
			bundle.W = int(size - first)
		}
		data, err := f.readTile(bundle)
		if err != nil {
			return err
		}
		for i := 0; i < bundle.W; i++ {
			if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
				return fmt.Errorf("%s: ends too early", path(bundle))
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			if err := each(first+int64(i), data[2:end]); err != nil {
				return err
			}
			data = data[end:]
		}
	}
	return nil
}

// checkLog holds every entry against its leaf, and proves that each is in the tree.
func checkLog(f files, tree tlog.Tree, from int64) error {
	hashes := tlog.TileHashReader(tree, f)
	var leaves []tlog.Hash
	var indexes []int64
	first := from / width * width
	err := f.entries(from, tree.N, func(n int64, entry []byte) error {
		leaves = append(leaves, tlog.RecordHash(entry))
		indexes = append(indexes, tlog.StoredHashIndex(0, n))
		return nil
	})
	if err != nil {
		return err
	}
	stored, err := hashes.ReadHashes(indexes)
	if err != nil {
		return err
	}
	for n, leaf := range leaves {
		if stored[n] != leaf {
			return fmt.Errorf("entry %d is not that of its leaf", first+int64(n))
		}
	}
	step := 1 + tree.N/200
	for n := first; n < tree.N; n += step {
		proof, err := tlog.ProveRecord(tree.N, n, hashes)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, n, leaves[n-first]); err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
	}
	return nil
}

func checkOlder(f files, tree, old tlog.Tree) error {
	if old.N > tree.N {
		return fmt.Errorf("an older checkpoint of %d entries, but the log has %d", old.N, tree.N)
	}
	if old.N == 0 {
		return nil
	}
	proof, err := tlog.ProveTree(tree.N, old.N, tlog.TileHashReader(tree, f))
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

func parseHashes(lines []string) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, line := range lines {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

// checkProof checks a proof file by itself: of an entry, or of a beginning (then one of the olds).
func checkProof(data []byte, verifiers []note.Verifier, olds []tlog.Tree) error {
	head, checkpoint, found := bytes.Cut(data, []byte("\n\n"))
	if !found {
		return errors.New("no blank line")
	}
	tree, err := open(checkpoint, verifiers)
	if err != nil {
		return err
	}
	lines := strings.Split(string(head), "\n")
	if strings.HasPrefix(lines[0], "old ") {
		hashes, err := parseHashes(lines[1:])
		if err != nil {
			return err
		}
		for _, old := range olds {
			if lines[0] == fmt.Sprintf("old %d", old.N) {
				return tlog.CheckTree(hashes, tree.N, tree.Hash, old.N, old.Hash)
			}
		}
		return fmt.Errorf("%s: no such older checkpoint was given", lines[0])
	}
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "extra ") {
		return errors.New("not a proof of an entry")
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return err
	}
	hashes, err := parseHashes(lines[3:])
	if err != nil {
		return err
	}
	return tlog.CheckRecord(hashes, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

type list []string

func (l *list) String() string     { return strings.Join(*l, " ") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

func readVerifiers(path string) ([]note.Verifier, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var verifiers []note.Verifier
	for _, line := range strings.Fields(string(data)) {
		verifier, err := note.NewVerifier(line)
		if err != nil {
			return nil, err
		}
		verifiers = append(verifiers, verifier)
	}
	if len(verifiers) == 0 {
		return nil, errors.New("no key")
	}
	return verifiers, nil
}

func run(vkey string, olds, proofs []string, at string, from int64) error {
	verifiers, err := readVerifiers(vkey)
	if err != nil {
		return fmt.Errorf("%s: %w", vkey, err)
	}
	var tree tlog.Tree
	f := files{strings.TrimSuffix(at, "/")}
	if at != "" {
		data, err := f.read("checkpoint")
		if err == nil {
			tree, err = open(data, verifiers)
		}
		if err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
		if err := checkLog(f, tree, from); err != nil {
			return err
		}
	}
	var older []tlog.Tree
	for _, name := range olds {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		old, err := open(data, verifiers)
		if err == nil && at != "" {
			err = checkOlder(f, tree, old)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		older = append(older, old)
	}
	for _, name := range proofs {
		data, err := os.ReadFile(name)
		if err == nil {
			err = checkProof(data, verifiers, older)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	fmt.Printf("entries=%d older=%d proofs=%d\n", tree.N, len(olds), len(proofs))
	return nil
}

func main() {
	var olds, proofs list
	vkey := flag.String("vkey", "", "file with the log's verifier keys")
	flag.Var(&olds, "old", "an older checkpoint")
	flag.Var(&proofs, "proof", "a proof file")
	from := flag.Int64("from", 0, "the first entry that was not dropped")
	flag.Parse()
	if flag.NArg() > 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*vkey, olds, proofs, flag.Arg(0), *from); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
