package seed

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// The names that stories are made of: common ones in Belgium, put together by chance.

var firstNames = map[string][]string{
	"fr": {
		"Marie", "Jean", "Camille", "Louis", "Nathalie", "Philippe", "Isabelle", "Olivier",
		"Sophie", "Thierry", "Fatima", "Mohamed", "Julie", "Antoine", "Élodie", "Benoît",
		"Chantal", "Didier", "Amina", "Vincent", "Laurence", "Michel", "Céline", "Youssef",
		"Valérie", "Éric", "Aurélie", "Gilles", "Inès", "Bernard",
	},
	"nl": {
		"Jan", "An", "Pieter", "Sofie", "Luc", "Greet", "Wim", "Lieve", "Thomas", "Els", "Koen",
		"Hilde", "Bart", "Katrien", "Tom", "Ilse", "Dirk", "Ann", "Jeroen", "Veerle", "Stijn",
		"Ingrid", "Geert", "Nele", "Bram", "Tine", "Karel", "Joke", "Sven", "Marleen",
	},
}

var lastNames = map[string][]string{
	"fr": {
		"Dubois", "Lambert", "Dupont", "Martin", "Simon", "Laurent", "Leroy", "Renard", "Lejeune",
		"Wauters", "Denis", "Gérard", "Collard", "Benali", "El Amrani", "Charlier", "Thiry",
		"Delvaux", "Henrard", "Lambrechts", "Michaux", "Noël", "Pirard", "Rousseau", "Servais",
		"Toussaint", "Urbain", "Vandenplas", "Yilmaz", "Mertens",
	},
	"nl": {
		"Peeters", "Janssens", "Maes", "Jacobs", "Mertens", "Willems", "Claes", "Goossens",
		"Wouters", "De Smet", "Vermeulen", "Van den Broeck", "Dubois", "Hermans", "Aerts",
		"Michiels", "Van Damme", "Stevens", "De Clercq", "Verhoeven", "Segers", "Desmet",
		"Pauwels", "Lemmens", "Bogaert", "Cools", "De Backer", "Van Acker", "Thijs", "Baert",
	},
}

// place is where a building may stand.
type place struct {
	city, postalCode, language string
	streets                    []string
}

var places = []place{
	{"Bruxelles", "1000", "fr", []string{"Rue du Lombard", "Quai au Foin", "Rue de Flandre"}},
	{"Schaerbeek", "1030", "fr", []string{"Avenue Rogier", "Rue Josaphat", "Avenue Voltaire"}},
	{"Etterbeek", "1040", "fr", []string{"Rue des Champs", "Avenue d'Auderghem"}},
	{"Ixelles", "1050", "fr", []string{"Chaussée de Waterloo", "Rue du Bailli", "Rue Malibran"}},
	{"Saint-Gilles", "1060", "fr", []string{"Rue de Savoie", "Avenue Ducpétiaux"}},
	{"Uccle", "1180", "fr", []string{"Avenue Brugmann", "Rue Vanderkindere", "Dieweg"}},
	{"Woluwe-Saint-Pierre", "1150", "fr", []string{"Avenue de Tervueren", "Rue au Bois"}},
	{"Namur", "5000", "fr", []string{"Rue de Fer", "Boulevard d'Herbatte"}},
	{"Liège", "4000", "fr", []string{"Quai de Rome", "Rue Saint-Gilles", "Boulevard d'Avroy"}},
	{"Gent", "9000", "nl", []string{"Korenmarkt", "Coupure", "Kortrijksesteenweg"}},
	{"Antwerpen", "2000", "nl", []string{"Nationalestraat", "Kloosterstraat", "Italiëlei"}},
	{"Leuven", "3000", "nl", []string{"Bondgenotenlaan", "Naamsestraat", "Vaartstraat"}},
	{"Mechelen", "2800", "nl", []string{"Bruul", "Hoogstraat", "Adegemstraat"}},
}

var residences = map[string][]string{
	"fr": {
		"Résidence des Tilleuls", "Résidence Bellevue", "Les Jardins d'Hélène", "Résidence Albert",
		"Le Clos du Roi", "Résidence du Lac", "Les Marronniers", "Résidence Élisabeth",
		"Le Grand Large", "Résidence Horta",
	},
	"nl": {
		"Residentie De Linde", "Hof ten Berg", "Residentie Astrid", "De Oude Haven",
		"Residentie Leopold", "Het Klaverblad", "Residentie Scheldezicht", "De Wilgen",
		"Residentie Zonnebloem", "Het Gildehuis",
	},
}

// plain is a text in the letters of an address.
func plain(text string) string {
	stripped, _, err := transform.String(
		transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn))), text)
	if err != nil {
		stripped = text
	}
	return strings.Trim(strings.Join(strings.FieldsFunc(strings.ToLower(stripped),
		func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }), "-"), "-")
}

// address is where nobody gets mail: the domain is kept for examples (RFC 2606).
func address(p person, building uint32, n int) string {
	name := plain(p.last)
	if p.first != "" {
		name = plain(p.first) + "." + name
	}
	if building > 0 {
		name += fmt.Sprintf(".%d-%d", building, n+1)
	}
	return name + "@example.com"
}

func phone(number int64) string {
	return fmt.Sprintf("+32 470 %02d %02d %02d",
		number/10_000%100, number/100%100, number%100)
}

// supplier is the id of the organization's supplier of a name.
func (s *story) supplier(name string) uuid.UUID {
	sum := sha256.Sum256(append(s.by.organization[:], name...))
	id := s.ids.id(ofSupplier, 0)
	copy(id[2:6], sum[:4])
	copy(id[9:], sum[4:])
	return id
}
