package eventstore

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/note"
)

// originPrefix stands before the organization's id in the first line of its checkpoints, which is
// also the name of its signing key.
const originPrefix = "koprogo/"

// Checkpoint says which tree a log had at a size. Note is the signed text (C2SP tlog-checkpoint,
// a signed note of golang.org/x/mod/sumdb/note), VerifierKey what its signature is checked with.
type Checkpoint struct {
	Organization uuid.UUID
	Size         int64
	Root         [32]byte
	Note         string
	VerifierKey  string
}

// Origin is the first line of a checkpoint of the organization.
func Origin(organization uuid.UUID) string { return originPrefix + organization.String() }

// Notary signs checkpoints of logs, each organization's under an Ed25519 key of its own, which
// stands in log.keys and is made when it first signs.
type Notary struct{ ring *Keyring }

// Notary signs with the keyring's keys, on its connections.
func (k *Keyring) Notary() *Notary { return &Notary{ring: k} }

// noteSigner is a note.Signer over a key from the keyring.
type noteSigner struct {
	note.Verifier
	key ed25519.PrivateKey
}

// Sign gives the signature of a note's text.
func (s noteSigner) Sign(text []byte) ([]byte, error) { return ed25519.Sign(s.key, text), nil }

func newSigner(organization uuid.UUID, key *dataKey) (noteSigner, string, error) {
	private := ed25519.NewKeyFromSeed(key.clear)
	public, _ := private.Public().(ed25519.PublicKey)
	vkey, err := note.NewEd25519VerifierKey(Origin(organization), public)
	if err != nil {
		return noteSigner{}, "", fmt.Errorf("make a verifier key: %w", err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return noteSigner{}, "", fmt.Errorf("make a verifier key: %w", err)
	}
	return noteSigner{Verifier: verifier, key: private}, vkey, nil
}

// VerifierKey is what the organization's checkpoints are checked with, "" when it never signed.
func (n *Notary) VerifierKey(ctx context.Context, organization uuid.UUID) (string, error) {
	keys, err := n.ring.keys(ctx, organization, purposeCheckpoint, uuid.Nil)
	if err != nil || keys[uuid.Nil] == nil {
		return "", err
	}
	_, vkey, err := newSigner(organization, keys[uuid.Nil])
	return vkey, err
}

const (
	storeCheckpointSQL = `insert into log.checkpoints (organization_id, size, root_hash, note)
values ($1, $2, $3, $4) on conflict (organization_id, size) do nothing`
	readCheckpointSQL = `select size, root_hash, note from log.checkpoints
 where organization_id = $1 and size = $2`
	latestCheckpointSQL = `select size, root_hash, note from log.checkpoints
 where organization_id = $1 order by size desc limit 1`
)

// Sign signs and stores the checkpoint of a head; the same head again gives the same checkpoint.
// It refuses a head whose size was signed with another root: the log was changed in between.
func (n *Notary) Sign(ctx context.Context, head Head) (Checkpoint, error) {
	checkpoint, err := n.sign(ctx, head)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("sign a checkpoint at %d: %w", head.Position, err)
	}
	return checkpoint, nil
}

func (n *Notary) sign(ctx context.Context, head Head) (Checkpoint, error) {
	tree, err := ParseTree(head.Position, head.Tree)
	if err != nil {
		return Checkpoint{}, err
	}
	key, err := n.ring.ensure(ctx,
		keyPlace{head.Organization, purposeCheckpoint, uuid.Nil})
	if err != nil {
		return Checkpoint{}, err
	}
	signer, vkey, err := newSigner(head.Organization, key)
	if err != nil {
		return Checkpoint{}, err
	}
	root := tree.Root()
	text, err := note.Sign(&note.Note{Text: body(head.Organization, tree.Size(), root)}, signer)
	if err != nil {
		return Checkpoint{}, err
	}
	if _, err := n.ring.pool.Exec(ctx, storeCheckpointSQL,
		head.Organization, head.Position, root[:], string(text)); err != nil {
		return Checkpoint{}, err
	}
	stored, found, err := n.read(ctx, readCheckpointSQL, head.Organization, head.Position)
	switch {
	case err != nil:
		return Checkpoint{}, err
	case !found || stored.Root != root:
		return Checkpoint{}, errors.New("another root was signed at this size")
	}
	stored.VerifierKey = vkey
	return stored, nil
}

// Latest is the newest stored checkpoint, found false when none was signed yet.
func (n *Notary) Latest(
	ctx context.Context, organization uuid.UUID,
) (checkpoint Checkpoint, found bool, err error) {
	checkpoint, found, err = n.read(ctx, latestCheckpointSQL, organization)
	if err == nil && found {
		checkpoint.VerifierKey, err = n.VerifierKey(ctx, organization)
	}
	if err != nil {
		return Checkpoint{}, false, fmt.Errorf("read the latest checkpoint: %w", err)
	}
	return checkpoint, found, nil
}

func (n *Notary) read(ctx context.Context, sql string, args ...any) (Checkpoint, bool, error) {
	rows, err := n.ring.pool.Query(ctx, sql, args...)
	if err != nil {
		return Checkpoint{}, false, err
	}
	checkpoint, err := pgx.CollectExactlyOneRow(rows, scanCheckpoint)
	if errors.Is(err, pgx.ErrNoRows) {
		return Checkpoint{}, false, nil
	}
	checkpoint.Organization, _ = args[0].(uuid.UUID)
	return checkpoint, err == nil, err
}

func scanCheckpoint(row pgx.CollectableRow) (Checkpoint, error) {
	var c Checkpoint
	var root []byte
	err := row.Scan(&c.Size, &root, &c.Note)
	copy(c.Root[:], root)
	return c, err
}

// body is the text that is signed.
func body(organization uuid.UUID, size int64, root [32]byte) string {
	return Origin(organization) + "\n" + strconv.FormatInt(size, 10) + "\n" +
		base64.StdEncoding.EncodeToString(root[:]) + "\n"
}

// VerifyNote checks the signature of a checkpoint's note with a verifier key and reads it. The
// key's name must be the checkpoint's origin.
func VerifyNote(text, verifierKey string) (Checkpoint, error) {
	verifier, err := note.NewVerifier(verifierKey)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("read the verifier key: %w", err)
	}
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("check a checkpoint's signature: %w", err)
	}
	checkpoint, err := parseBody(opened.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	if Origin(checkpoint.Organization) != verifier.Name() {
		return Checkpoint{}, errors.New("check a checkpoint's signature: the key is another log's")
	}
	checkpoint.Note, checkpoint.VerifierKey = text, verifierKey
	return checkpoint, nil
}

// ReadNote reads a checkpoint's note without checking its signature.
func ReadNote(text string) (Checkpoint, error) {
	end := strings.LastIndex(text, "\n\n")
	if end < 0 {
		return Checkpoint{}, errors.New("read a checkpoint: the note has no signature")
	}
	checkpoint, err := parseBody(text[:end+1])
	checkpoint.Note = text
	return checkpoint, err
}

// parseBody reads what body wrote; lines after the third are extensions and say nothing to us.
func parseBody(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 {
		return Checkpoint{}, errors.New("read a checkpoint: it has less than three lines")
	}
	id, ours := strings.CutPrefix(lines[0], originPrefix)
	organization, err := uuid.Parse(id)
	if err != nil || !ours || lines[0] != Origin(organization) {
		return Checkpoint{}, errors.New("read a checkpoint: its origin is no log of koprogo")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, errors.New("read a checkpoint: its size is no number")
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != 32 {
		return Checkpoint{}, errors.New("read a checkpoint: its root is no SHA-256 in base64")
	}
	return Checkpoint{Organization: organization, Size: size, Root: [32]byte(root)}, nil
}
