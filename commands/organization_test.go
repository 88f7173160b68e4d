package commands

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koprogo/koprogo/events"
	"github.com/koprogo/koprogo/eventstore"
)

var immo = events.OrganizationFounded{
	Name: "Immo", Slug: "immo", Plan: "starter", ContactID: id(7),
	ContactEmail: events.PersonalText("info@immo.be"), Language: "fr", Zone: "Europe/Brussels",
}

func TestListOrganization(t *testing.T) {
	t.Parallel()
	asked := founding(id(1), "immo", "starter")
	listed := events.OrganizationListed{
		Name: "Immo", Slug: "immo", Plan: "starter", ContactID: asked.ContactID,
		ContactEmail: events.PersonalText("info@immo.be"),
		ContactPhone: events.PersonalText("+32 2 123 45 67"),
		Language:     "fr", Zone: "Europe/Brussels",
	}
	with := func(change func(*FoundOrganization)) *listOrganization {
		c := asked
		change(&c)
		return &listOrganization{
			FoundOrganization: c, email: "info@immo.be", phone: "+32 2 123 45 67",
		}
	}
	t.Run("an organization is listed, French and in Brussels' zone", func(t *testing.T) {
		given[Listing](t).when(with(func(*FoundOrganization) {})).then(listed)
	})
	t.Run("the same again changes nothing", func(t *testing.T) {
		given[Listing](t, listed, events.OrganizationSlugChanged{Slug: "other"}).
			when(with(func(c *FoundOrganization) { c.ContactID = id(8) })).then()
	})
	t.Run("another organization under the id is refused", func(t *testing.T) {
		given[Listing](t, listed).when(with(func(c *FoundOrganization) { c.Name = "X" })).
			thenRefused(CodeIDTaken)
	})
	for name, wrong := range map[string]struct {
		field  string
		code   Code
		change func(*FoundOrganization)
	}{
		"no name":      {"name", CodeRequired, func(c *FoundOrganization) { c.Name = "" }},
		"no slug":      {"slug", CodeRequired, func(c *FoundOrganization) { c.Slug = "" }},
		"a wrong slug": {"slug", CodeMalformed, func(c *FoundOrganization) { c.Slug = "a b" }},
		"no such plan": {"plan", CodeUnknownValue, func(c *FoundOrganization) {
			c.Plan = "gold"
		}},
		"no e-mail": {"contact_email", CodeRequired, func(c *FoundOrganization) {
			c.ContactEmail = ""
		}},
		"a wrong e-mail": {"contact_email", CodeMalformed, func(c *FoundOrganization) {
			c.ContactEmail = "a"
		}},
		"a wrong phone": {"contact_phone", CodeMalformed, func(c *FoundOrganization) {
			c.ContactPhone = "call me"
		}},
		"no such language": {"language", CodeUnknownValue, func(c *FoundOrganization) {
			c.Language = To("it")
		}},
		"no such zone": {"zone", CodeMalformed, func(c *FoundOrganization) { c.Zone = To("X") }},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			given[Listing](t).when(with(wrong.change)).thenInvalid(wrong.field, wrong.code)
		})
	}
}

func TestRelistOrganization(t *testing.T) {
	t.Parallel()
	listed := events.OrganizationListed{Slug: "immo"}
	t.Run("a slug changes", func(t *testing.T) {
		given[Listing](t, listed).when(relistOrganization{id(1), "other"}).
			then(events.OrganizationSlugChanged{Slug: "other"})
	})
	t.Run("the same slug records nothing", func(t *testing.T) {
		given[Listing](t, listed).when(relistOrganization{id(1), "immo"}).then()
	})
	t.Run("an organization that is not listed is not found", func(t *testing.T) {
		given[Listing](t).when(relistOrganization{id(1), "immo"}).thenRefused(CodeNotFound)
	})
}

func TestEnterOrganization(t *testing.T) {
	t.Parallel()
	t.Run("the log of an organization begins", func(t *testing.T) {
		given[Organization](t).when(enterOrganization{founded: immo}).then(immo)
	})
	t.Run("it begins once", func(t *testing.T) {
		given[Organization](t, immo).when(enterOrganization{founded: immo}).then()
	})
}

func TestChangeOrganization(t *testing.T) {
	t.Parallel()
	change := func(c ChangeOrganization) *changeOrganization {
		return &changeOrganization{ChangeOrganization: c, email: "info@immo.be", phone: "123"}
	}
	t.Run("each group of fields is its own fact", func(t *testing.T) {
		given[Organization](t, immo).when(change(ChangeOrganization{
			Name: To("Immo 2"), Plan: To("free"), ContactEmail: To("x@immo.be"),
		})).then(
			events.OrganizationRenamed{Name: "Immo 2", Slug: "immo"},
			events.OrganizationContactChanged{
				ContactID: id(7), Email: events.PersonalText("x@immo.be"),
				Phone: events.PersonalText("123"),
			},
			events.OrganizationPlanChanged{Plan: "free"},
		)
	})
	t.Run("a telephone number is taken away", func(t *testing.T) {
		given[Organization](t, immo).when(change(ChangeOrganization{
			ContactPhone: Cleared[string](),
		})).then(events.OrganizationContactChanged{
			ContactID: id(7), Email: events.PersonalText("info@immo.be"),
		})
	})
	t.Run("what it is already records nothing", func(t *testing.T) {
		given[Organization](t, immo).when(change(ChangeOrganization{
			Name: To("Immo"), Slug: To("immo"), Plan: To("starter"),
			ContactEmail: To("info@immo.be"), ContactPhone: To("123"),
		})).then()
	})
	t.Run("an organization that was never founded is not found", func(t *testing.T) {
		given[Organization](t).when(change(ChangeOrganization{})).thenRefused(CodeNotFound)
	})
	for field, wrong := range map[string]ChangeOrganization{
		"name":          {Name: Cleared[string]()},
		"slug":          {Slug: Cleared[string]()},
		"contact_email": {ContactEmail: Cleared[string]()},
	} {
		t.Run("a cleared "+field+" is refused", func(t *testing.T) {
			given[Organization](t, immo).when(change(wrong)).thenInvalid(field, CodeRequired)
		})
	}
	t.Run("a plan that does not exist is refused", func(t *testing.T) {
		given[Organization](t, immo).when(change(ChangeOrganization{Plan: To("gold")})).
			thenInvalid("plan", CodeUnknownValue)
	})
}

func TestSuspension(t *testing.T) {
	t.Parallel()
	suspended := events.OrganizationSuspended{}
	t.Run("an organization is suspended", func(t *testing.T) {
		given[Organization](t, immo).when(SuspendOrganization{}).then(suspended)
	})
	t.Run("once", func(t *testing.T) {
		given[Organization](t, immo, suspended).when(SuspendOrganization{}).then()
	})
	t.Run("one that was never founded is not found", func(t *testing.T) {
		given[Organization](t).when(SuspendOrganization{}).thenRefused(CodeNotFound)
	})
	t.Run("it is reinstated", func(t *testing.T) {
		given[Organization](t, immo, suspended).when(ReinstateOrganization{}).
			then(events.OrganizationReinstated{})
	})
	t.Run("one that is not suspended is not reinstated", func(t *testing.T) {
		given[Organization](t, immo, suspended, events.OrganizationReinstated{}).
			when(ReinstateOrganization{}).then()
	})
	t.Run("one that was never founded is not reinstated", func(t *testing.T) {
		given[Organization](t).when(ReinstateOrganization{}).thenRefused(CodeNotFound)
	})
}

func TestChangeSettings(t *testing.T) {
	t.Parallel()
	set := events.OrganizationSettingsChanged{
		FourEyes: "on", Language: "nl", Zone: "Europe/Paris", Rates: map[string]int{"late": 800},
	}
	t.Run("what is not named stays", func(t *testing.T) {
		given[Organization](t, immo).when(ChangeSettings{Language: To("nl")}).
			then(events.OrganizationSettingsChanged{
				FourEyes: "auto", Language: "nl", Zone: "Europe/Brussels",
			})
	})
	t.Run("a cleared setting is its default again", func(t *testing.T) {
		given[Organization](t, immo, set).when(ChangeSettings{
			FourEyes: Cleared[string](), Language: Cleared[string](), Zone: Cleared[string](),
			Rates: Cleared[map[string]int](),
		}).then(events.OrganizationSettingsChanged{
			FourEyes: "auto", Language: "fr", Zone: "Europe/Brussels",
		})
	})
	t.Run("the same settings record nothing", func(t *testing.T) {
		given[Organization](t, immo, set).when(ChangeSettings{
			FourEyes: To("on"), Rates: To(map[string]int{"late": 800}),
		}).then()
	})
	t.Run("a suspended organization only reads", func(t *testing.T) {
		given[Organization](t, immo, events.OrganizationSuspended{}).when(ChangeSettings{}).
			thenRefused(CodeOrganizationSuspended)
	})
	t.Run("one that was never founded is not found", func(t *testing.T) {
		given[Organization](t).when(ChangeSettings{}).thenRefused(CodeNotFound)
	})
	many := map[string]int{}
	for i := range 51 {
		many[fmt.Sprintf("r%d", i)] = 1
	}
	for name, wrong := range map[string]struct {
		field  string
		code   Code
		change ChangeSettings
	}{
		"half an eye": {"four_eyes", CodeUnknownValue, ChangeSettings{FourEyes: To("half")}},
		"Italian":     {"language", CodeUnknownValue, ChangeSettings{Language: To("it")}},
		"no zone":     {"zone", CodeMalformed, ChangeSettings{Zone: To("X")}},
		"51 rates":    {"rates", CodeTooMany, ChangeSettings{Rates: To(many)}},
		"a rate below zero": {"rates", CodeOutOfRange, ChangeSettings{
			Rates: To(map[string]int{"a": -1}),
		}},
		"a rate's name": {"rates", CodeMalformed, ChangeSettings{Rates: To(map[string]int{"A": 1})}},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			given[Organization](t, immo).when(wrong.change).thenInvalid(wrong.field, wrong.code)
		})
	}
}

func TestAnOrganizationIsFoundedInTwoLogs(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "free")
	asked := founding(uuid.New(), "immo-b", "starter")
	caller := System(eventstore.Platform, "")
	first, err := o.FoundOrganization(t.Context(), caller, asked)
	require.NoError(t, err)
	require.True(t, first.Changed)
	require.Equal(t, "immo-b", first.State.Slug)
	require.Equal(t, asked.OrganizationID, first.Receipt.Organization)
	require.Equal(t, eventstore.Platform, first.Also[0].Organization)

	asked.ContactID = uuid.New()
	again, err := o.FoundOrganization(t.Context(), caller, asked)
	require.NoError(t, err)
	require.False(t, again.Changed)
	_, err = o.FoundOrganization(t.Context(), caller, founding(uuid.New(), "immo-b", "free"))
	require.Equal(t, CodeSlugTaken, refusal(t, err).Code)
	asked.Name = "X"
	_, err = o.FoundOrganization(t.Context(), caller, asked)
	require.Equal(t, CodeIDTaken, refusal(t, err).Code)
}

func TestAFoundingIsRepeatedByItsKey(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "free")
	caller := o.keyed("k")
	first, err := o.FoundOrganization(t.Context(), caller, founding(uuid.New(), "b", "free"))
	require.NoError(t, err)
	again, err := o.FoundOrganization(t.Context(), caller, founding(uuid.New(), "b", "free"))
	require.NoError(t, err)
	require.True(t, again.Receipt.Replayed)
	require.Equal(t, first.Also[0].Position, again.Receipt.Position)
}

func TestAnOrganizationTakesAnotherSlug(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "starter")
	other := uuid.New()
	_, err := o.FoundOrganization(t.Context(), System(eventstore.Platform, ""),
		founding(other, "other", "free"))
	require.NoError(t, err)
	change := ChangeOrganization{OrganizationID: o.organization, Slug: To("other")}
	_, err = o.ChangeOrganization(t.Context(), o.caller(), change)
	require.Equal(t, CodeSlugTaken, refusal(t, err).Code)

	change.Slug = To("better")
	changed, err := o.ChangeOrganization(t.Context(), o.keyed("k"), change)
	require.NoError(t, err)
	require.Equal(t, "better", changed.State.Slug)
	require.Len(t, changed.Also, 1)
	listing, err := o.listing(t.Context(), o.organization)
	require.NoError(t, err)
	require.Equal(t, "better", listing.Slug)
	again, err := o.ChangeOrganization(t.Context(), o.keyed("k"), change)
	require.NoError(t, err)
	require.True(t, again.Receipt.Replayed)

	_, err = o.ChangeOrganization(t.Context(), o.caller(), ChangeOrganization{
		OrganizationID: other, Slug: To("immo-starter"),
	})
	require.NoError(t, err, "the old slug is free")
	_, err = o.ChangeOrganization(t.Context(), o.caller(), ChangeOrganization{
		OrganizationID: uuid.New(), Slug: To("x"),
	})
	require.Equal(t, CodeNotFound, refusal(t, err).Code)
	_, err = o.ChangeOrganization(t.Context(), o.caller(), ChangeOrganization{
		OrganizationID: o.organization, ContactPhone: To("+32 475 12 34 56"),
	})
	require.NoError(t, err)
}

func TestAPlanThatIsTooSmallIsRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "enterprise")
	to := func(plan string, more ...func(*ChangeOrganization)) error {
		change := ChangeOrganization{OrganizationID: o.organization, Plan: To(plan)}
		for _, f := range more {
			f(&change)
		}
		_, err := o.ChangeOrganization(t.Context(), o.caller(), change)
		return err
	}
	var buildings []uuid.UUID
	for range 6 {
		buildings = append(buildings, uuid.New())
		_, err := Handle(t.Context(), o.App, o.caller(), register(buildings[len(buildings)-1]))
		require.NoError(t, err)
	}
	require.NoError(t, to("professional"))
	require.Equal(t, CodePlanLimit, refusal(t, to("starter")).Code)
	slugged := func(c *ChangeOrganization) { c.Slug = To("tried") }
	require.Equal(t, CodePlanLimit, refusal(t, to("starter", slugged)).Code)
	listing, err := o.listing(t.Context(), o.organization)
	require.NoError(t, err)
	require.Equal(t, "immo-enterprise", listing.Slug, "a refused change gives the slug back")

	_, err = Handle(t.Context(), o.App, o.caller(), &RemoveBuilding{BuildingID: buildings[0]})
	require.NoError(t, err)
	require.NoError(t, to("starter"), "five buildings fit, whatever the numbers of their places")
	_, err = Handle(t.Context(), o.App, o.caller(), register(uuid.New()))
	require.Equal(t, CodePlanLimit, refusal(t, err).Code)
	require.NoError(t, to("professional"))
	_, err = Handle(t.Context(), o.App, o.caller(), register(uuid.New()))
	require.NoError(t, err)
}

func TestAPlanIsNotLoweredBeneathARace(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "professional")
	other := server(t, o.clone)
	var all sync.WaitGroup
	var lowered error
	registered := make([]error, 20)
	for i := range registered {
		all.Go(func() {
			_, registered[i] = Handle(t.Context(), other, o.caller(), register(uuid.New()))
		})
	}
	all.Go(func() {
		_, lowered = o.ChangeOrganization(t.Context(), o.caller(), ChangeOrganization{
			OrganizationID: o.organization, Plan: To("starter"),
		})
	})
	all.Wait()
	buildings := 0
	for _, err := range registered {
		if err == nil {
			buildings++
		} else {
			require.Equal(t, CodePlanLimit, refusal(t, err).Code)
		}
	}
	if lowered == nil {
		require.LessOrEqual(t, buildings, Plans["starter"].Buildings)
	} else {
		require.Equal(t, CodePlanLimit, refusal(t, lowered).Code)
		require.Equal(t, len(registered), buildings)
	}
}
