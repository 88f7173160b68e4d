package eventstore

import (
	"cmp"
	"math"
	"slices"

	"github.com/google/uuid"
)

// What a finding says.
const (
	whatChanged     = "the row is not the one that was recorded: its leaf hash is another"
	whatMissing     = "no row: it was taken away"
	whatCutOff      = "no row: the log's end is cut off"
	whatNoPosition  = "a row at a position that the log does not have"
	whatBeyond      = "a row beyond the log's head"
	whatVersion     = "the version does not follow the one before it in its stream"
	whatFalls       = "recorded_at is earlier than that of the row before"
	whatNoHead      = "the log's head is missing"
	whatHeadInstant = "the log's head has another instant than its last row"
	whatHeadTree    = "the head's tree cannot be read"
	whatNotInTree   = "rows were changed together with their leaf hashes: the tree is another"
	whatNotSigned   = "rows were changed together with hashes and head: a checkpoint differs"
	whatHeadDiffers = "the head's tree is another than a signed checkpoint's and the rows'"
	whatKeyMissing  = "the key that signed the checkpoints is missing"
	whatSignature   = "the checkpoint is not signed by this log's key"
	whatKeptSigner  = "a checkpoint that was kept is not signed by this log's key"
	whatRootColumn  = "the checkpoint's row is another than its note"
	whatFalseRoot   = "the checkpoint is another than the rows, which a later one confirms"
	whatCovered     = "a checkpoint was signed over positions that the log no longer has"
	whatAnswered    = "requests were answered at positions that the log no longer has"
)

const (
	maxFindings = 1000
	// maxUnknown bounds how many missing leaves are stood in for, so that what follows a gap can
	// still be compared with the tree.
	maxUnknown = 1 << 20
)

// link is what the chain of a log's rows is checked by.
type link struct {
	position, version int64
	recordedAt        int64 // microseconds since 1970
	stream            []byte
	stored, computed  [32]byte // leaf hashes
}

// span is a range of positions, both ends included.
type span struct{ from, to int64 }

// witness is a root that a log had at a size, matches whether the rows still give it.
type witness struct {
	size    int64
	root    [32]byte
	matches bool
}

// checker goes along one log, row by row in the order of positions.
//
// It keeps the tree over the stored leaf hashes and, from the first row on whose columns give
// another, the tree over the computed ones too. A changed row with its old leaf hash leaves the
// first tree right, a changed leaf hash the second: in both cases all other rows are known to be
// whole, and only where neither fits is a range named.
type checker struct {
	report     *OrganizationReport
	size       int64             // of the log; the number of rows where there is no head
	head       *Head             // nil when missing or not to be had, as in a file
	lacksHead  bool              // the missing head is a finding
	next       int64             // the position that comes next
	recordedAt int64             // of the row before
	versions   map[string]*int64 // by stream
	stored     *Tree
	computed   *Tree // nil while it would be stored
	missing    int64 // rows not found so far
	gaps       []span
	blind      bool // a gap was too wide to go on with the trees
	witnesses  []witness
	compared   int // witnesses whose size was reached
}

func newChecker(organization uuid.UUID) *checker {
	return &checker{
		report: &OrganizationReport{ID: organization, Findings: []Finding{}},
		size:   math.MaxInt64, lacksHead: true, next: 1, recordedAt: math.MinInt64,
		versions: map[string]*int64{}, stored: NewTree(),
	}
}

func (c *checker) expectHead(head Head) {
	c.head, c.size, c.lacksHead = &head, head.Position, false
}

// expectSize is expectHead where no tree is at hand.
func (c *checker) expectSize(size int64) { c.size, c.lacksHead = size, false }

func (c *checker) add(from, to int64, what string) {
	findings := c.report.Findings
	if n := len(findings); n > 0 {
		if last := &findings[n-1]; last.What == what && last.To+1 == from {
			last.To = to
			return
		}
	}
	if len(findings) == maxFindings {
		c.report.LeftOut++
		return
	}
	c.report.Findings = append(findings, Finding{Position: from, To: to, What: what})
}

// storedCheckpoint takes a row of log.checkpoints as a witness, if its signature holds.
func (c *checker) storedCheckpoint(row Checkpoint) {
	var read Checkpoint
	var err error
	if c.report.VerifierKey != "" {
		read, err = VerifyNote(row.Note, c.report.VerifierKey)
	} else {
		read, err = ReadNote(row.Note)
	}
	switch {
	case err != nil:
		c.add(row.Size, row.Size, whatSignature)
		return
	case read.Organization != c.report.ID || read.Size != row.Size || read.Root != row.Root:
		c.add(row.Size, row.Size, whatRootColumn)
	}
	if read.Organization == c.report.ID {
		c.witnesses = append(c.witnesses, witness{size: read.Size, root: read.Root})
	}
}

// keptCheckpoint takes a checkpoint as a witness that the database cannot have changed. When its
// signature does not fit the log's key, the key may be the one that was exchanged.
func (c *checker) keptCheckpoint(kept Checkpoint) {
	if c.report.VerifierKey != "" {
		if _, err := VerifyNote(kept.Note, c.report.VerifierKey); err != nil {
			c.add(kept.Size, kept.Size, whatKeptSigner)
		}
	}
	c.witnesses = append(c.witnesses, witness{size: kept.Size, root: kept.Root})
}

// begin is called once all witnesses are known.
func (c *checker) begin() {
	slices.SortStableFunc(c.witnesses, func(a, b witness) int { return cmp.Compare(a.size, b.size) })
	c.report.Checkpoints = len(c.witnesses)
	c.compare()
}

// lastWitness adds a witness of the log's whole size behind the last row.
func (c *checker) lastWitness(w witness) {
	c.witnesses = append(c.witnesses, w)
	c.report.Checkpoints++
	c.compare()
}

// row checks the next row.
func (c *checker) row(l link) {
	switch {
	case l.position < c.next:
		c.add(l.position, l.position, whatNoPosition)
		return
	case l.position > c.size:
		c.add(l.position, l.position, whatBeyond)
		return
	case l.position > c.next:
		c.gap(l.position-1, whatMissing)
	}
	if l.stored != l.computed {
		c.add(l.position, l.position, whatChanged)
	}
	c.inOrder(l)
	c.grow(l.stored, l.computed)
	c.next++
}

// inOrder checks the row's version and instant. Versions that a gap may have swallowed are no
// finding of their own.
func (c *checker) inOrder(l link) {
	last := c.versions[string(l.stream)]
	if last == nil {
		last = new(int64)
		c.versions[string(l.stream)] = last
	}
	if l.version <= *last || l.version > *last+1+c.missing {
		c.add(l.position, l.position, whatVersion)
	}
	*last = l.version
	if l.recordedAt < c.recordedAt {
		c.add(l.position, l.position, whatFalls)
	}
	c.recordedAt = l.recordedAt
}

// gap notes that the rows from the next position up to one are missing.
func (c *checker) gap(to int64, what string) {
	c.add(c.next, to, what)
	c.gaps = append(c.gaps, span{c.next, to})
	width := to - c.next + 1
	c.missing += width
	c.next = to + 1
	c.blind = c.blind || width > maxUnknown
	for range width {
		if c.blind {
			return
		}
		c.grow([32]byte{}, [32]byte{})
	}
}

func (c *checker) grow(stored, computed [32]byte) {
	if c.blind {
		return
	}
	if stored != computed && c.computed == nil {
		c.computed = c.stored.Clone()
	}
	c.stored.Append(stored)
	if c.computed != nil {
		c.computed.Append(computed)
	}
	c.compare()
}

// compare holds the tree against the witnesses of its size.
func (c *checker) compare() {
	for c.compared < len(c.witnesses) && c.witnesses[c.compared].size == c.stored.Size() {
		w := &c.witnesses[c.compared]
		w.matches = c.stored.Root() == w.root ||
			c.computed != nil && c.computed.Root() == w.root
		c.compared++
	}
}

// end is called behind the last row.
func (c *checker) end() {
	reached := int64(0)
	if n := len(c.witnesses); n > 0 {
		reached = c.witnesses[n-1].size
	}
	if c.lacksHead {
		c.size = c.next - 1
		if c.size > 0 || reached > 0 {
			c.add(c.size, c.size, whatNoHead)
		}
	}
	if c.next <= c.size {
		c.gap(c.size, whatCutOff)
	} else if c.head != nil && c.size > 0 && c.head.RecordedAt.UnixMicro() != c.recordedAt {
		c.add(c.size, c.size, whatHeadInstant)
	}
	c.covered(reached, whatCovered)
}

// covered notes that the log once reached position.
func (c *checker) covered(position int64, what string) {
	if position > c.size {
		c.add(c.size+1, position, what)
	}
}

// finish names the ranges in which rows were changed together with their hashes.
func (c *checker) finish() OrganizationReport {
	good, bad := c.judge()
	suspect := span{good + 1, bad}
	narrowed := false
	for _, differs := range c.compareHead() {
		if differs.to <= good {
			c.add(differs.from, differs.to, whatHeadDiffers)
			continue
		}
		differs.from = max(differs.from, good+1)
		if bad > 0 && differs.from <= bad {
			differs.to, narrowed = min(differs.to, bad), true
		}
		c.addRange(differs, whatNotInTree)
	}
	if bad > 0 && !narrowed {
		c.addRange(suspect, whatNotSigned)
	}
	tree := c.stored
	if c.computed != nil {
		tree = c.computed
	}
	root := tree.Root()
	c.report.Size, c.report.Root = c.size, root[:]
	slices.SortStableFunc(c.report.Findings, func(a, b Finding) int {
		return cmp.Compare(a.Position, b.Position)
	})
	return *c.report
}

// judge finds the largest size that a witness confirms and the smallest beyond it that one
// contradicts, 0 when none does. A contradiction below a confirmed size is the witness's own.
func (c *checker) judge() (good, bad int64) {
	for _, w := range c.witnesses[:c.compared] {
		if w.matches {
			good = w.size
		}
	}
	for _, w := range c.witnesses[:c.compared] {
		switch {
		case w.matches:
		case w.size <= good:
			c.add(w.size, w.size, whatFalseRoot)
		case bad == 0:
			bad = w.size
		}
	}
	return good, bad
}

// compareHead returns the perfect subtrees of the head that the rows do not give.
func (c *checker) compareHead() []span {
	if c.head == nil {
		return nil
	}
	head, err := ParseTree(c.head.Position, c.head.Tree)
	if err != nil {
		c.add(c.size, c.size, whatHeadTree)
		return nil
	}
	if c.blind {
		return nil
	}
	stored := c.stored.subtrees()
	computed := stored
	if c.computed != nil {
		computed = c.computed.subtrees()
	}
	var differ []span
	for i, want := range head.subtrees() {
		if stored[i].Root != want.Root && computed[i].Root != want.Root {
			differ = append(differ, span{want.From, want.To})
		}
	}
	return differ
}

// addRange adds a finding unless a gap in the range explains it.
func (c *checker) addRange(s span, what string) {
	for _, gap := range c.gaps {
		if gap.from <= s.to && s.from <= gap.to {
			return
		}
	}
	c.add(s.from, s.to, what)
}
