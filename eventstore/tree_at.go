package eventstore

import (
	"context"
	"fmt"
	"sync"

	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Bounds of the trees that one server keeps of earlier positions.
const (
	keptTrees = 256
	leafPage  = 20_000
)

const leavesSQL = `select position, leaf_hash from log.events
 where organization_id = $1 and position > $2 and position <= $3 order by position limit $4`

// Trees finds the tree that a log had at an earlier position. A log keeps only the tree of its
// head, so it is made again from the leaf hashes: the last one made for an organization is kept,
// and a later position goes on from there.
type Trees struct {
	store *Store
	mu    sync.Mutex
	last  *simplelru.LRU[treeOf, *Tree]
}

// treeOf names a log; a restored one, whose epoch is another, is another log.
type treeOf struct {
	organization uuid.UUID
	epoch        int32
}

// NewTrees makes a Trees over the store's logs.
func NewTrees(store *Store) *Trees {
	last, err := simplelru.NewLRU[treeOf, *Tree](keptTrees, nil)
	if err != nil { // only for a size below one
		panic(err)
	}
	return &Trees{store: store, last: last}
}

// HeadAt is the end of an organization's log as it was when it reached position, for Notary.Sign.
// RecordedAt is zero except at the head. A position past the head is an error.
func (t *Trees) HeadAt(
	ctx context.Context, organization uuid.UUID, position int64,
) (Head, error) {
	head, err := t.store.Head(ctx, organization)
	if err != nil || head.Position == position {
		return head, err
	}
	if position < 0 || position > head.Position {
		return Head{}, fmt.Errorf("find the tree at %d: the log ends at %d", position, head.Position)
	}
	log := treeOf{organization, head.Epoch}
	tree := t.before(log, position)
	if err := t.grow(ctx, organization, tree, position); err != nil {
		return Head{}, fmt.Errorf("find the tree at %d: %w", position, err)
	}
	t.keep(log, tree)
	head = Head{Organization: organization, Position: position, Epoch: head.Epoch}
	head.Tree, err = tree.MarshalBinary()
	return head, err
}

// before is a tree of the caller's own with at most position leaves.
func (t *Trees) before(log treeOf, position int64) *Tree {
	t.mu.Lock()
	defer t.mu.Unlock()
	if kept, found := t.last.Get(log); found && kept.Size() <= position {
		return kept.Clone()
	}
	return NewTree()
}

func (t *Trees) keep(log treeOf, tree *Tree) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if kept, found := t.last.Peek(log); !found || kept.Size() < tree.Size() {
		t.last.Add(log, tree.Clone())
	}
}

// grow appends the leaves up to a position, a page at a time.
func (t *Trees) grow(
	ctx context.Context, organization uuid.UUID, tree *Tree, position int64,
) error {
	for tree.Size() < position {
		before := tree.Size()
		rows, err := t.store.pools[RoleJobs].Query(ctx, leavesSQL,
			organization, before, position, leafPage)
		if err != nil {
			return unavailable(err)
		}
		for rows.Next() {
			var at int64
			var leaf []byte
			if err := rows.Scan(&at, &leaf); err != nil {
				rows.Close()
				return err
			}
			if at != tree.Size()+1 || len(leaf) != 32 {
				rows.Close()
				return fmt.Errorf("the log has no leaf at position %d", tree.Size()+1)
			}
			tree.Append([32]byte(leaf))
		}
		if err := rows.Err(); err != nil {
			return unavailable(err)
		}
		if tree.Size() == before {
			return fmt.Errorf("the log has no leaf at position %d", before+1)
		}
	}
	return nil
}
