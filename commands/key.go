package commands

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/koprogo/koprogo/events"
)

// Limits of a distribution key.
const (
	maxKeyBase    = 100_000_000_000
	maxKeyWeights = 10_000
)

// KeyStream holds a distribution key's facts, in its organization's log.
func KeyStream(id uuid.UUID) events.Stream {
	return events.Stream{Category: events.KeyCategory, ID: id}
}

// Key is what the rules of a distribution key ask.
type Key struct {
	Declared bool
	Building uuid.UUID
	Versions []events.KeyVersioned // by first day; shared with other states, never changed
	first    events.KeyDeclared
}

// Evolve folds one fact.
func (k Key) Evolve(event events.Event) Key {
	switch e := event.(type) {
	case events.KeyDeclared:
		k.Declared, k.Building, k.first = true, e.Building, e
		k.Versions = []events.KeyVersioned{events.KeyVersioned(e)}
	case events.KeyVersioned:
		kept := slices.DeleteFunc(slices.Clone(k.Versions), func(v events.KeyVersioned) bool {
			return v.ValidFrom == e.ValidFrom
		})
		k.Versions = append(kept, e)
		slices.SortFunc(k.Versions, func(a, b events.KeyVersioned) int {
			return cmp.Compare(a.ValidFrom, b.ValidFrom)
		})
	}
	return k
}

// On is the version that divides charges of a day; false for a day before the first one.
func (k Key) On(day events.Day) (version events.KeyVersioned, valid bool) {
	for _, v := range k.Versions {
		if v.ValidFrom <= day {
			version, valid = v, true
		}
	}
	return version, valid
}

// DeclareKey makes a distribution key of a building. The same again under the same id changes
// nothing.
type DeclareKey struct {
	KeyID      uuid.UUID
	BuildingID uuid.UUID
	Name       string
	Base       int64
	ValidFrom  Change[When] // today where the building stands unless given
	Weights    []events.KeyWeight
	Now        time.Time

	building Building
}

// Stream is the key's.
func (c *DeclareKey) Stream() events.Stream { return KeyStream(c.KeyID) }

// Begins says that the stream may be new.
func (*DeclareKey) Begins() {}

// Read loads the building.
func (c *DeclareKey) Read(r *Reader) (err error) {
	c.building, err = Load[Building](r, BuildingStream(c.BuildingID))
	return err
}

// Decide refuses wrong fields, lots of another building, weights that do not sum to the base, and
// an id that belongs to another key.
func (c *DeclareKey) Decide(k Key) ([]events.Event, error) {
	if !c.building.Stands() {
		return nil, notFound("building")
	}
	wanted := events.KeyVersioned{
		Building: c.BuildingID, Name: c.Name, Base: c.Base, Weights: c.Weights,
		ValidFrom: c.building.day(c.ValidFrom, c.building.today(c.Now)),
	}
	if k.Declared && !c.ValidFrom.Given {
		wanted.ValidFrom = k.first.ValidFrom
	}
	wanted, err := checkKey(c.KeyID, wanted, &c.building)
	switch {
	case err != nil:
		return nil, err
	case !k.Declared:
		return []events.Event{events.KeyDeclared(wanted)}, nil
	case !sameKey(events.KeyVersioned(k.first), wanted):
		return nil, idTaken("distribution key")
	}
	return nil, nil
}

// ChangeKey gives a key a version from a day on, in the place of one that begins on the same day.
// What it does not name stays as it is in the version before.
type ChangeKey struct {
	KeyID     uuid.UUID
	Building  Change[uuid.UUID] // where it is given it repeats the key's building
	Name      Change[string]
	Base      Change[int64]
	ValidFrom Change[When] // today where the building stands unless given
	Weights   Change[[]events.KeyWeight]
	Now       time.Time

	building Building
}

// Stream is the key's.
func (c *ChangeKey) Stream() events.Stream { return KeyStream(c.KeyID) }

// Read loads the building.
func (c *ChangeKey) Read(r *Reader) error {
	key, err := Load[Key](r, c.Stream())
	if err == nil && key.Declared {
		c.building, err = Load[Building](r, BuildingStream(key.Building))
	}
	return err
}

// Decide refuses what DeclareKey refuses, and another building.
func (c *ChangeKey) Decide(k Key) ([]events.Event, error) {
	if !k.Declared || !c.building.Stands() {
		return nil, notFound("distribution_key")
	}
	if c.Building.Given && c.Building.Value != k.Building {
		return nil, &Refused{
			Code: CodeUnchangeable, Field: "building_id", Reason: "a key stays in its building",
		}
	}
	from := c.building.day(c.ValidFrom, c.building.today(c.Now))
	is, valid := k.On(from)
	if !valid {
		is = k.Versions[0]
	}
	wanted, err := checkKey(c.KeyID, events.KeyVersioned{
		Building: k.Building, Name: c.Name.over(is.Name), Base: c.Base.over(is.Base),
		ValidFrom: from, Weights: c.Weights.over(is.Weights),
	}, &c.building)
	if err != nil {
		return nil, err
	}
	unchanged := is
	if !c.ValidFrom.Given {
		unchanged.ValidFrom = from
	}
	if valid && sameKey(unchanged, wanted) {
		return nil, nil
	}
	return []events.Event{wanted}, nil
}

func sameKey(a, b events.KeyVersioned) bool {
	return a.Building == b.Building && a.Name == b.Name && a.Base == b.Base &&
		a.ValidFrom == b.ValidFrom && slices.Equal(a.Weights, b.Weights)
}

// checkKey brings a version into its stored form, or refuses it.
func checkKey(
	id uuid.UUID, v events.KeyVersioned, building *Building,
) (events.KeyVersioned, error) {
	c := &check{}
	c.id(id)
	v.Name = c.name("name", v.Name)
	c.day("valid_from", v.ValidFrom)
	if v.Base < 1 || v.Base > maxKeyBase {
		c.refuse("base", CodeOutOfRange, "the base is above zero", "min", "1",
			"max", strconv.FormatInt(maxKeyBase, 10))
	}
	switch n := len(v.Weights); {
	case n == 0:
		c.refuse("weights", CodeRequired, "the field is required")
	case n > maxKeyWeights:
		c.refuse("weights", CodeTooMany, "there are too many weights",
			"max", strconv.Itoa(maxKeyWeights))
	}
	if err := c.err(); err != nil {
		return v, err
	}
	sum, err := c.weights(v, building)
	switch {
	case err != nil:
		return v, err
	case c.err() != nil:
		return v, c.err()
	case sum != v.Base:
		return v, sharesIncomplete(sum, v.Base)
	}
	return v, nil
}

// weights sums the weights, refusing wrong ones by their fields.
func (c *check) weights(v events.KeyVersioned, building *Building) (sum int64, err error) {
	seen := make(map[uuid.UUID]bool, len(v.Weights))
	for i, weight := range v.Weights {
		at := fmt.Sprintf("weights[%d].", i)
		switch {
		case weight.Weight < 0 || weight.Weight > v.Base:
			c.refuse(at+"weight", CodeOutOfRange, "a weight is at most the base", "min", "0",
				"max", strconv.FormatInt(v.Base, 10))
		case seen[weight.LotID]:
			c.refuse(at+"lot_id", CodeWeightsInvalid, "a lot has one weight")
		case building.Lot(weight.LotID) == nil:
			return 0, notFound("lot")
		}
		seen[weight.LotID] = true
		sum += weight.Weight // at most 10^4 weights of 10^11
	}
	return sum, nil
}

func sharesIncomplete(sum, base int64) *Refused {
	return refuse(CodeSharesIncomplete, "the weights do not sum to the base",
		"sum", strconv.FormatInt(sum, 10), "base", strconv.FormatInt(base, 10))
}
