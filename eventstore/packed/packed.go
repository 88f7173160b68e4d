// Package packed keeps what a process remembers of the log where it is much: ordered maps of short
// texts in few pieces of memory that point nowhere. A collection of garbage goes through every
// piece that is in use; a hundred thousand texts of their own would each be one.
package packed

import (
	"encoding/binary"
	"iter"
	"strings"

	"github.com/tidwall/btree"
)

// pageBytes is the length from which a page is parted. A larger one makes fewer pieces, and more to
// write when a text in it changes.
const pageBytes = 1024

// degree makes small nodes: for every page that is put, those on the way to it are copied.
const degree = 8

// Map is texts by key, in the order of the keys' bytes. Its zero value is empty. A Map that several
// hold, each a Go copy of it, is changed by With and Without alone; one that nobody shares also by
// Set and Delete.
type Map struct {
	pages btree.BTreeG[page] // by their first key; not made yet where there are none
	held  int
}

// page is some records in the order of their keys, at least one. It is never changed.
type page string

// appendRecord adds a key and its text: the lengths of both as varints, then both.
func appendRecord(to []byte, key, text string) []byte {
	to = binary.AppendUvarint(to, uint64(len(key)))
	to = binary.AppendUvarint(to, uint64(len(text)))
	return append(append(to, key...), text...)
}

// next is the first record of what is left of a page, and what is left then.
func (p page) next() (key, text string, rest page) {
	keyed, p := p.length()
	long, p := p.length()
	return string(p[:keyed]), string(p[keyed : keyed+long]), p[keyed+long:]
}

// length is binary.Uvarint for a string.
func (p page) length() (n int, rest page) {
	for i := 0; ; i++ {
		n |= int(p[i]&0x7f) << (7 * i)
		if p[i] < 0x80 {
			return n, p[i+1:]
		}
	}
}

func (p page) first() string {
	key, _, _ := p.next()
	return key
}

// find gives where in the page the record of a key begins and ends. Both are where it would be put
// if there is none.
func (p page) find(key string) (text string, begin, end int) {
	for rest := p; rest != ""; {
		at, found, after := rest.next()
		switch strings.Compare(at, key) {
		case 0:
			return found, len(p) - len(rest), len(p) - len(after)
		case 1:
			return "", len(p) - len(rest), len(p) - len(rest)
		}
		rest = after
	}
	return "", len(p), len(p)
}

// parts are a page in two where it is too long: before the record over its middle, or before the
// second if that is the first. One record is not parted.
func (p page) parts() (first, second page) {
	if len(p) <= pageBytes {
		return p, ""
	}
	for rest := p; rest != ""; {
		begin := len(p) - len(rest)
		if _, _, rest = rest.next(); begin > 0 && len(p)-len(rest) > len(p)/2 {
			return page(strings.Clone(string(p[:begin]))), page(strings.Clone(string(p[begin:])))
		}
	}
	return p, ""
}

// Len is how many keys the map holds.
func (m *Map) Len() int { return m.held }

// page is the page that a key is in, if it is in one: the last that begins with it or before it,
// or else the first.
func (m *Map) page(key string) (in page) {
	if m.held == 0 {
		return ""
	}
	m.pages.Descend(page(appendRecord(nil, key, "")), func(p page) bool {
		in = p
		return false
	})
	if in == "" {
		in, _ = m.pages.Min()
	}
	return in
}

// Get returns the text of a key.
func (m *Map) Get(key string) (text string, held bool) {
	text, begin, end := m.page(key).find(key)
	return text, end > begin
}

// Set gives a key its text.
func (m *Map) Set(key, text string) {
	if m.held == 0 {
		m.pages = *btree.NewBTreeGOptions(func(a, b page) bool { return a.first() < b.first() },
			btree.Options{Degree: degree, NoLocks: true})
	}
	before := m.page(key)
	_, begin, end := before.find(key)
	if begin == end {
		m.held++
	}
	record := appendRecord(make([]byte, 0, len(key)+len(text)+2*binary.MaxVarintLen32), key, text)
	if begin == len(before) && begin+len(record) > pageBytes {
		m.pages.Set(page(record)) // behind a full page, which stays full
		return
	}
	m.replace(before, before[:begin]+page(record)+before[end:])
}

// Delete removes a key.
func (m *Map) Delete(key string) {
	before := m.page(key)
	_, begin, end := before.find(key)
	if begin == end {
		return
	}
	m.held--
	m.replace(before, before[:begin]+before[end:])
}

// With is a map with a key's text, Without one that does not hold the key. m stays as it is.
func (m Map) With(key, text string) Map {
	changed := m.copy()
	changed.Set(key, text)
	return changed
}

// Without is described at With.
func (m Map) Without(key string) Map {
	changed := m.copy()
	changed.Delete(key)
	return changed
}

// copy shares m's pages, and writes none of them in place.
func (m Map) copy() Map {
	if m.held == 0 {
		return Map{}
	}
	return Map{pages: *m.pages.Copy(), held: m.held}
}

// replace puts what has become of a page in its place.
func (m *Map) replace(before, after page) {
	if before != "" && (after == "" || before.first() != after.first()) {
		m.pages.Delete(before)
	}
	first, second := after.parts()
	for _, part := range []page{first, second} {
		if part != "" {
			m.pages.Set(part)
		}
	}
}

// All goes through the keys and their texts.
func (m *Map) All() iter.Seq2[string, string] { return m.From("") }

// From is All from a key on.
func (m *Map) From(key string) iter.Seq2[string, string] {
	return func(yield func(key, text string) bool) {
		if m.held == 0 {
			return
		}
		m.pages.Ascend(m.page(key), func(p page) bool {
			for p != "" {
				at, text, rest := p.next()
				if at >= key && !yield(at, text) {
					return false
				}
				p = rest
			}
			return true
		})
	}
}

// Back goes through the keys and their texts from the last to the first.
func (m *Map) Back() iter.Seq2[string, string] {
	return func(yield func(key, text string) bool) {
		if m.held > 0 {
			last, _ := m.pages.Max()
			m.back(last, yield)
		}
	}
}

// BackFrom is Back from a key on.
func (m *Map) BackFrom(key string) iter.Seq2[string, string] {
	return func(yield func(key, text string) bool) {
		if m.held > 0 {
			m.back(m.page(key), func(at, text string) bool { return at > key || yield(at, text) })
		}
	}
}

func (m *Map) back(from page, yield func(key, text string) bool) {
	m.pages.Descend(from, func(p page) bool {
		var begins []page
		for rest := p; rest != ""; _, _, rest = rest.next() {
			begins = append(begins, rest)
		}
		for n := len(begins) - 1; n >= 0; n-- {
			if key, text, _ := begins[n].next(); !yield(key, text) {
				return false
			}
		}
		return true
	})
}

// At is the key that stands n places behind the first. It goes through the pages before it.
func (m *Map) At(n int) (key string, held bool) {
	if n < 0 || n >= m.held {
		return "", false
	}
	m.pages.Scan(func(p page) bool {
		for p != "" && n >= 0 {
			key, _, p = p.next()
			n--
		}
		return n >= 0
	})
	return key, true
}
