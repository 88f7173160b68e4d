package commands

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

var residence = events.BuildingRegistered{
	Name: "Résidence des Érables", Address: "Rue de la Loi 16", City: "Bruxelles",
	PostalCode: "1000", Country: "Belgique", Lots: 12, Shares: events.WholeShares(1000),
	Zone: "Europe/Brussels",
}

func registerResidence(change ...func(*RegisterBuilding)) RegisterBuilding {
	c := RegisterBuilding{
		BuildingID: id(1), Name: " Résidence des Érables ", Address: "Rue de la Loi 16",
		City: "Bruxelles", PostalCode: "1000", Country: "Belgique", Lots: 12, Now: now,
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

func TestRegisterBuilding(t *testing.T) {
	t.Parallel()
	t.Run("a building is entered with 1000 shares in Brussels' zone", func(t *testing.T) {
		given[Building](t).when(registerResidence()).then(residence)
	})
	t.Run("everything that is known of it is kept in its exact form", func(t *testing.T) {
		whole := residence
		whole.Shares, whole.ConstructionYear = events.WholeShares(10_000_000), 2031
		whole.Slug, whole.EnterpriseNumber = "les-erables-2", "0123456749"
		whole.WorkingIBAN, whole.ReserveIBAN = "BE68539007547034", "BE71096123456769"
		whole.FiscalYearStart, whole.Zone = "07-01", "Europe/Paris"
		whole.Entrances = []string{"Rue de la Loi 16", "Rue de la Loi 18"}
		given[Building](t).when(registerResidence(func(c *RegisterBuilding) {
			c.Shares, c.ConstructionYear = To(10_000_000), To(2031)
			c.Slug, c.EnterpriseNumber = "les-erables-2", "BE 0123.456.749"
			c.WorkingIBAN, c.ReserveIBAN = "be68 5390 0754 7034", "BE71 0961 2345 6769"
			c.FiscalYearStart, c.Zone = "07-01", To("Europe/Paris")
			c.Entrances = []string{"Rue de la Loi 16", " Rue de la Loi 18"}
		})).then(whole)
	})
	t.Run("the same again changes nothing, also after a change", func(t *testing.T) {
		given[Building](t, residence, events.BuildingRenamed{Name: "Autre"}).
			when(registerResidence()).then()
	})
	t.Run("another building under the id is refused", func(t *testing.T) {
		given[Building](t, residence).when(registerResidence(func(c *RegisterBuilding) {
			c.Lots = 13
		})).thenRefused(CodeIDTaken)
	})
	t.Run("the id of a removed building is refused", func(t *testing.T) {
		given[Building](t, residence, events.BuildingRemoved{}).
			when(registerResidence()).thenRefused(CodeIDTaken)
	})
	t.Run("all wrong fields are named at once", func(t *testing.T) {
		t.Parallel()
		_, err := RegisterBuilding{Zone: To("Europe/Brussels"), Now: now}.Decide(Building{})
		refused := refusal(t, err)
		fields := []string{refused.Field}
		for _, more := range refused.More {
			fields = append(fields, more.Field)
		}
		require.Equal(t, []string{
			"id", "name", "address", "city", "postal_code", "country", "lots",
		}, fields)
	})
}

func TestRegisterBuildingRefusesAWrongField(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]struct {
		field  string
		code   Code
		change func(*RegisterBuilding)
	}{
		"no name": {"name", CodeRequired, func(c *RegisterBuilding) {
			c.Name = " "
		}},
		"a name of 256": {"name", CodeTooLong, func(c *RegisterBuilding) {
			c.Name = long(256)
		}},
		"a control character": {"name", CodeMalformed, func(c *RegisterBuilding) {
			c.Name = "a\x00b"
		}},
		"a text that is no text": {"city", CodeMalformed, func(c *RegisterBuilding) {
			c.City = "\xff"
		}},
		"no address": {"address", CodeRequired, func(c *RegisterBuilding) {
			c.Address = ""
		}},
		"no city": {"city", CodeRequired, func(c *RegisterBuilding) { c.City = "" }},
		"no postal code": {"postal_code", CodeRequired, func(c *RegisterBuilding) {
			c.PostalCode = ""
		}},
		"no country": {"country", CodeRequired, func(c *RegisterBuilding) {
			c.Country = ""
		}},
		"a country of digits": {"country", CodeMalformed, func(c *RegisterBuilding) {
			c.Country = "B3"
		}},
		"an unknown code": {"country", CodeMalformed, func(c *RegisterBuilding) {
			c.Country = "QQ"
		}},
		"no lots": {"lots", CodeOutOfRange, func(c *RegisterBuilding) {
			c.Lots = 0
		}},
		"too many lots": {"lots", CodeOutOfRange, func(c *RegisterBuilding) {
			c.Lots = 10_000_001
		}},
		"no shares": {"shares", CodeOutOfRange, func(c *RegisterBuilding) {
			c.Shares = To(0)
		}},
		"too many shares": {"shares", CodeOutOfRange, func(c *RegisterBuilding) {
			c.Shares = To(10_000_001)
		}},
		"the year 999": {"construction_year", CodeOutOfRange, func(c *RegisterBuilding) {
			c.ConstructionYear = To(999)
		}},
		"in six years": {"construction_year", CodeOutOfRange, func(c *RegisterBuilding) {
			c.ConstructionYear = To(2032)
		}},
		"the year 0": {"construction_year", CodeOutOfRange, func(c *RegisterBuilding) {
			c.ConstructionYear = To(0)
		}},
		"a slug with capitals": {"slug", CodeMalformed, func(c *RegisterBuilding) {
			c.Slug = "Les-Erables"
		}},
		"a slug of hyphens": {"slug", CodeMalformed, func(c *RegisterBuilding) {
			c.Slug = "a--b"
		}},
		"a wrong number": {"enterprise_number", CodeMalformed, func(c *RegisterBuilding) {
			c.EnterpriseNumber = "0123456748"
		}},
		"a wrong IBAN": {"iban_working", CodeMalformed, func(c *RegisterBuilding) {
			c.WorkingIBAN = "BE68539007547035"
		}},
		"another wrong IBAN": {"iban_reserve", CodeMalformed, func(c *RegisterBuilding) {
			c.ReserveIBAN = "x"
		}},
		"the 29th of February": {"fiscal_year_start", CodeMalformed, func(c *RegisterBuilding) {
			c.FiscalYearStart = "02-29"
		}},
		"a day without month": {"fiscal_year_start", CodeMalformed, func(c *RegisterBuilding) {
			c.FiscalYearStart = "1-1"
		}},
		"no such zone": {"zone", CodeMalformed, func(c *RegisterBuilding) {
			c.Zone = To("Europe/Bruxelles")
		}},
		"the machine's zone": {"zone", CodeMalformed, func(c *RegisterBuilding) {
			c.Zone = To("Local")
		}},
		"101 entrances": {"entrances", CodeTooMany, func(c *RegisterBuilding) {
			c.Entrances = make([]string, 101)
		}},
		"an empty entrance": {"entrances", CodeRequired, func(c *RegisterBuilding) {
			c.Entrances = []string{""}
		}},
		"a long entrance": {"entrances", CodeTooLong, func(c *RegisterBuilding) {
			c.Entrances = []string{long(256)}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			given[Building](t).when(registerResidence(wrong.change)).
				thenInvalid(wrong.field, wrong.code)
		})
	}
}

func long(n int) string { return strings.Repeat("é", n) }

func TestChangeBuilding(t *testing.T) {
	t.Parallel()
	known := residence
	known.ConstructionYear, known.Slug = 1974, "erables"
	known.WorkingIBAN, known.FiscalYearStart = "BE68539007547034", "01-01"
	known.Entrances = []string{"A", "B"}
	t.Run("a field that is not named stays", func(t *testing.T) {
		given[Building](t, known).
			when(ChangeBuilding{BuildingID: id(1), Name: To("Les Érables"), Now: now}).
			then(events.BuildingRenamed{Name: "Les Érables", Slug: "erables"})
	})
	t.Run("a PUT of the same values records nothing", func(t *testing.T) {
		given[Building](t, known).when(ChangeBuilding{
			BuildingID: id(1),
			Name:       To(known.Name), Shares: To(1000), Entrances: To([]string{"A", "B"}),
			WorkingIBAN: To("BE68 5390 0754 7034"), Now: now,
		}).then()
	})
	t.Run("each group of fields is its own fact", func(t *testing.T) {
		given[Building](t, known).when(ChangeBuilding{
			BuildingID: id(1),
			Slug:       Cleared[string](), City: To("Ixelles"), Lots: To(13), Shares: To(2000),
			ConstructionYear: Cleared[int](), EnterpriseNumber: To("0123456749"),
			ReserveIBAN: To("BE71096123456769"), FiscalYearStart: Cleared[string](),
			Entrances: Cleared[[]string](), Now: now,
		}).then(
			events.BuildingRenamed{Name: known.Name},
			events.BuildingAddressCorrected{
				Address: known.Address, City: "Ixelles", PostalCode: "1000", Country: "Belgique",
				Zone: "Europe/Brussels",
			},
			events.BuildingDeedAmended{Lots: 13, Shares: events.WholeShares(2000)},
			events.BuildingIdentified{EnterpriseNumber: "0123456749"},
			events.BuildingBankingChanged{
				WorkingIBAN: "BE68539007547034", ReserveIBAN: "BE71096123456769",
			},
		)
	})
	t.Run("a cleared zone is Brussels' again", func(t *testing.T) {
		paris := known
		paris.Zone = "Europe/Paris"
		given[Building](t, paris).
			when(ChangeBuilding{BuildingID: id(1), Zone: Cleared[string](), Now: now}).
			then(events.BuildingAddressCorrected{
				Address: known.Address, City: known.City, PostalCode: "1000", Country: "Belgique",
				Entrances: known.Entrances, Zone: "Europe/Brussels",
			})
	})
	t.Run("a name that is cleared is refused", func(t *testing.T) {
		given[Building](t, known).
			when(ChangeBuilding{BuildingID: id(1), Name: Cleared[string](), Now: now}).
			thenInvalid("name", CodeRequired)
	})
	t.Run("a wrong total is refused", func(t *testing.T) {
		given[Building](t, known).when(ChangeBuilding{BuildingID: id(1), Shares: To(0), Now: now}).
			thenInvalid("shares", CodeOutOfRange)
	})
	t.Run("a building that was never registered is not found", func(t *testing.T) {
		given[Building](t).when(ChangeBuilding{BuildingID: id(1), Now: now}).thenRefused(CodeNotFound)
	})
	t.Run("a removed building is not found", func(t *testing.T) {
		given[Building](t, known, events.BuildingRemoved{}).
			when(ChangeBuilding{BuildingID: id(1), Now: now}).
			thenRefused(CodeNotFound)
	})
}

func TestChangingABuildingLeadsToWhatWasAsked(t *testing.T) {
	t.Parallel()
	asked := ChangeBuilding{
		BuildingID: id(1),
		Name:       To("B"), Slug: To("b"), Address: To("C"), City: To("D"), PostalCode: To("E"),
		Country: To("FR"), Lots: To(2), Shares: To(3), ConstructionYear: To(1900),
		EnterpriseNumber: To("0123456749"), WorkingIBAN: To("BE68539007547034"),
		ReserveIBAN: To("BE71096123456769"), FiscalYearStart: To("04-01"),
		Entrances: To([]string{"G"}), Zone: To("Europe/Paris"), Now: now,
	}
	state := Building{}.Evolve(residence)
	decided, err := asked.Decide(state)
	require.NoError(t, err)
	for _, event := range decided {
		state = state.Evolve(event)
	}
	require.Equal(t, events.BuildingRegistered{
		Name: "B", Slug: "b", Address: "C", City: "D", PostalCode: "E", Country: "FR", Lots: 2,
		Shares: events.WholeShares(3), ConstructionYear: 1900, EnterpriseNumber: "0123456749",
		WorkingIBAN: "BE68539007547034", ReserveIBAN: "BE71096123456769", FiscalYearStart: "04-01",
		Entrances: []string{"G"}, Zone: "Europe/Paris",
	}, state.Facts)
	again, err := asked.Decide(state)
	require.NoError(t, err)
	require.Empty(t, again)
}

func TestRemoveBuilding(t *testing.T) {
	t.Parallel()
	t.Run("a building is removed", func(t *testing.T) {
		given[Building](t, residence).when(&RemoveBuilding{}).then(events.BuildingRemoved{})
	})
	t.Run("a removed building is not found", func(t *testing.T) {
		given[Building](t, residence, events.BuildingRemoved{}).when(&RemoveBuilding{}).
			thenRefused(CodeNotFound)
	})
}

func TestABuildingHoldsAPlaceAndItsSlug(t *testing.T) {
	t.Parallel()
	b := Building{}.Evolve(residence).Evolve(events.BuildingRenamed{Name: "A", Slug: "a"})
	require.Equal(t, []eventstore.Claim{
		{Kind: claimBuilding}, {Kind: claimBuildingSlug, Value: "a"},
	}, b.Claims())
	require.Empty(t, b.Evolve(events.BuildingRemoved{}).Claims())
	require.Empty(t, Building{}.Claims())
}
