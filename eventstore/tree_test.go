package eventstore_test

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/transparency-dev/merkle/rfc6962"
	"pgregory.net/rapid"

	"github.com/koprogo/koprogo/eventstore"
)

// naiveRoot is RFC 6962, section 2.1, over leaf hashes.
func naiveRoot(leaves [][32]byte) [32]byte {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	split := 1
	for split*2 < len(leaves) {
		split *= 2
	}
	left, right := naiveRoot(leaves[:split]), naiveRoot(leaves[split:])
	return [32]byte(rfc6962.DefaultHasher.HashChildren(left[:], right[:]))
}

func leavesOf(n int) [][32]byte {
	leaves := make([][32]byte, n)
	for i := range leaves {
		leaves[i] = sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
	}
	return leaves
}

func TestTree(t *testing.T) {
	t.Parallel()

	t.Run("its root is RFC 6962's at every size, stored and read in between", func(t *testing.T) {
		t.Parallel()
		leaves := leavesOf(300)
		rapid.Check(t, func(t *rapid.T) {
			size := rapid.IntRange(0, len(leaves)).Draw(t, "size")
			stop := rapid.IntRange(0, size).Draw(t, "stored at")
			tree := eventstore.NewTree()
			for _, leaf := range leaves[:stop] {
				tree.Append(leaf)
			}
			stored, err := tree.MarshalBinary()
			require.NoError(t, err)
			read, err := eventstore.ParseTree(int64(stop), stored)
			require.NoError(t, err)
			for _, leaf := range leaves[stop:size] {
				read.Append(leaf)
			}
			require.EqualValues(t, size, read.Size())
			require.Equal(t, naiveRoot(leaves[:size]), read.Root())
			require.Equal(t, naiveRoot(leaves[:stop]), tree.Root(), "the first tree moved")
		})
	})

	t.Run("a clone goes its own way", func(t *testing.T) {
		t.Parallel()
		leaves := leavesOf(64)
		tree := eventstore.NewTree()
		for i, leaf := range leaves[:63] {
			clone := tree.Clone()
			clone.Append(leaves[63])
			tree.Append(leaf)
			require.Equal(t, naiveRoot(leaves[:i+1]), tree.Root())
			require.Equal(t, naiveRoot(append(leaves[:i:i], leaves[63])), clone.Root())
		}
	})

	t.Run("bytes that are no tree of the size are refused", func(t *testing.T) {
		t.Parallel()
		for size, length := range map[int64]int{3: 32, 4: 64, 0: 1, -1: 2048, 7: 95} {
			_, err := eventstore.ParseTree(size, make([]byte, length))
			require.Error(t, err)
		}
	})
}
