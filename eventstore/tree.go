package eventstore

import (
	"crypto/sha256"
	"fmt"
	"math/bits"
	"slices"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
)

// Tree is the RFC 6962 Merkle tree over a log's leaf hashes, of which it keeps the compact range:
// the roots of the perfect subtrees from left to right, one for each bit that is set in its size.
// It is not safe for concurrent use; the zero value
// is of use to UnmarshalBinary only.
type Tree struct{ nodes *compact.Range }

var trees = compact.RangeFactory{Hash: hashChildren}

// hashChildren is rfc6962.DefaultHasher's, with one allocation in the place of four.
func hashChildren(left, right []byte) []byte {
	var pair [65]byte
	pair[0] = rfc6962.RFC6962NodeHashPrefix
	copy(pair[1:33], left)
	copy(pair[33:], right)
	sum := sha256.Sum256(pair[:])
	return sum[:]
}

// NewTree is the tree of a log without events.
func NewTree() *Tree { return &Tree{nodes: trees.NewEmptyRange(0)} }

// ParseTree reads what MarshalBinary wrote of a tree with size leaves: the column logs.tree at
// its head's position.
func ParseTree(size int64, stored []byte) (*Tree, error) {
	t := new(Tree)
	return t, t.UnmarshalBinary(size, stored)
}

// UnmarshalBinary is ParseTree into t.
func (t *Tree) UnmarshalBinary(size int64, stored []byte) error {
	count := bits.OnesCount64(uint64(size))
	if size < 0 || len(stored) != 32*count {
		return fmt.Errorf("a tree of %d leaves does not take %d bytes", size, len(stored))
	}
	hashes := slices.Collect(slices.Chunk(slices.Clone(stored), 32))
	nodes, err := trees.NewRange(0, uint64(size), hashes)
	if err != nil {
		return fmt.Errorf("read a tree of %d leaves: %w", size, err)
	}
	t.nodes = nodes
	return nil
}

// MarshalBinary concatenates the roots of the perfect subtrees, 32 bytes each, the largest first.
// The tree's size is not among them. The error is always nil.
func (t *Tree) MarshalBinary() ([]byte, error) {
	hashes := t.nodes.Hashes()
	stored := make([]byte, 0, 32*len(hashes))
	for _, hash := range hashes {
		stored = append(stored, hash...)
	}
	return stored, nil
}

// Append adds a leaf hash at the right: a leaf hash of Leaf, not the bytes it was made of.
func (t *Tree) Append(leaf [32]byte) {
	// A compact range refuses a leaf only when it holds fewer hashes than its size asks for, and
	// ParseTree lets no such range in.
	if err := t.nodes.Append(leaf[:], nil); err != nil {
		panic(err)
	}
}

// Size is the number of leaves, which is the log's position.
func (t *Tree) Size() int64 { return int64(t.nodes.End()) }

// Root is the root hash; that of no leaves is the SHA-256 of nothing.
func (t *Tree) Root() [32]byte {
	root, err := t.nodes.GetRootHash(nil)
	if err != nil || root == nil { // every tree begins at leaf 0, so there is no error
		return sha256.Sum256(nil)
	}
	return [32]byte(root)
}

// Clone is a tree of its own with the same leaves.
func (t *Tree) Clone() *Tree {
	nodes, err := trees.NewRange(0, t.nodes.End(), slices.Clone(t.nodes.Hashes()))
	if err != nil { // the same size and as many hashes as a range that stands
		panic(err)
	}
	return &Tree{nodes: nodes}
}

// subtree is a perfect subtree of a tree: the positions From to To (from 1) and its root.
type subtree struct {
	From, To int64
	Root     [32]byte
}

// subtrees are the perfect subtrees, left to right.
func (t *Tree) subtrees() []subtree {
	found := make([]subtree, 0, len(t.nodes.Hashes()))
	from, left := int64(1), t.nodes.End()
	for _, hash := range t.nodes.Hashes() {
		width := uint64(1) << (bits.Len64(left) - 1)
		found = append(found, subtree{from, from + int64(width) - 1, [32]byte(hash)})
		from, left = from+int64(width), left-width
	}
	return found
}
