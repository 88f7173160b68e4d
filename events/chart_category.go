package events

// Category is what a charge is for, in the eight words of the older system; the account is the
// truth, the category a convenience of input.
type Category string

// The categories.
const (
	CategoryWorks          Category = "works"
	CategoryMaintenance    Category = "maintenance"
	CategoryRepairs        Category = "repairs"
	CategoryInsurance      Category = "insurance"
	CategoryCleaning       Category = "cleaning"
	CategoryUtilities      Category = "utilities"
	CategoryOther          Category = "other"
	CategoryAdministration Category = "administration"
)

// CategoryLine is a category's line in the PCN report's profile "category".
type CategoryLine struct {
	Category Category
	Code     string // of the profile: the older system's, not the Belgian chart's
	Labels   Labels
	Account  string // of the Belgian chart, for a charge that names none
}

var categoryLines = [...]CategoryLine{
	{CategoryWorks, "610", Labels{
		"Travaux", "Werken", "Arbeiten", "Works",
	}, "6111"},
	{CategoryMaintenance, "611", Labels{
		"Entretien", "Onderhoud", "Unterhalt", "Maintenance",
	}, "6109"},
	{CategoryRepairs, "612", Labels{
		"Réparations", "Herstellingen", "Reparaturen", "Repairs",
	}, "6107"},
	{CategoryInsurance, "613", Labels{
		"Assurances", "Verzekeringen", "Versicherungen", "Insurance",
	}, "6140"},
	{CategoryCleaning, "614", Labels{
		"Nettoyage", "Schoonmaak", "Reinigung", "Cleaning",
	}, "61050"},
	{CategoryUtilities, "615", Labels{
		"Eau et énergie", "Water en energie", "Wasser und Energie", "Utilities",
	}, "61210"},
	{CategoryOther, "619", Labels{
		"Autres charges", "Andere kosten", "Sonstige Kosten", "Other charges",
	}, "6166"},
	{CategoryAdministration, "620", Labels{
		"Administration et gestion", "Administratie en beheer", "Verwaltung und Geschäftsführung",
		"Administration and management",
	}, "61600"},
}

// CategoryProfile are the eight lines in the order of their codes; the caller may keep them.
func CategoryProfile() []CategoryLine { return append([]CategoryLine(nil), categoryLines[:]...) }

// Line is the category's line of the profile.
func (c Category) Line() (CategoryLine, bool) {
	for _, line := range categoryLines {
		if line.Category == c {
			return line, true
		}
	}
	return CategoryLine{}, false
}
