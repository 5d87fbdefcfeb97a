package sample

import (
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
)

var firstNames = strings.Fields("Maren Jonas Lucia Henrik Yara Sven Priya Oskar Elin Tomás Aiko Noor Pieter Clara Emil Kenji Greta Mateo Ingrid Samir Liv Anton Zofia Bruno Hanna Dario Freya Ravi Nadia Ole")

var lastNames = strings.Fields("Holt Bianchi Dahl Adler Novak Raman Lindqvist Okafor Weiss Krog Mori Vos Haugen Silva Petrov Larsen Moreau Kowal Sato Berg Keller Rossi Nilsen Fuentes Brandt Popescu Jensen Schmidt Aalto Quinn")

// AgentName is a name for synthetic agent number i.
func AgentName(i int) string {
	return firstNames[i%len(firstNames)] + " " + lastNames[i/len(firstNames)%len(lastNames)]
}

var products = strings.Fields("tent jacket backpack stove sleeping-bag headlamp boots rope kettle hammock")

var thanks = []string{
	"Thank you, that helps. I will try it tonight and tell you.",
	"Great, thanks for the quick answer!",
	"It works now, thank you.",
	"Thanks. One more thing: can you send me the invoice again?",
	"Perfect. I am happy with that.",
}

// matter is something that customers write about.
type matter struct {
	subject string
	text    string
	answer  string
	kind    desk.Type
}

func (m matter) about(product string) string {
	return strings.ReplaceAll(m.subject, "%", plain(product))
}

func (m matter) body(product string) string { return strings.ReplaceAll(m.text, "%", plain(product)) }

func plain(product string) string { return strings.ReplaceAll(product, "-", " ") }

var matters = []matter{
	{
		"Where is my order?", "I ordered a % last week and the tracking has not moved for three days. Can you look where it is?",
		"I am sorry for the wait. The parcel was held at the sorting centre and is on its way now; it should reach you tomorrow.", desk.TypeQuestion,
	},
	{
		"Broken % on arrival", "The % came today and one part is broken. I attached nothing yet, tell me what you need. I leave on Friday.",
		"That should not happen. A new one leaves us today, and you can keep the broken one.", desk.TypeIncident,
	},
	{
		"Return of a %", "The % does not fit me. How can I send it back, and how long does the refund take?",
		"You find a return label in this mail. The refund is with you two days after the parcel arrives here.", desk.TypeRequest,
	},
	{
		"Charged twice", "My bank shows two payments for the same %. Please give one of them back.",
		"You are right, the second payment was a reservation. It is released already and leaves your account within three days.", desk.TypeComplaint,
	},
	{
		"Which size for the %?", "I am between M and L. Which % should I take?",
		"Take L if you wear something warm under it, else M. You can change it within 60 days.", desk.TypeQuestion,
	},
	{
		"Thank you!", "The % has been with us for a month of rain and never let us down. Just wanted to say thanks.",
		"What a nice mail to begin the day with. Thank you!", desk.TypePraise,
	},
	{
		"Invoice for order", "Could you send me the invoice for the % with our company address on it?",
		"Here it is. The address is stored for your next orders, too.", desk.TypeRequest,
	},
	{
		"Delivery moved, please confirm", "Can the % come on the 28th instead? Nobody is at home before.",
		"Done: it arrives on the 28th between 9 and 12.", desk.TypeRequest,
	},
	{
		"Is the % waterproof?", "The page says water repellent. Does the % hold in a day of rain?",
		"For some hours, yes. For a whole day take the version with sealed seams.", desk.TypeQuestion,
	},
	{
		"Repair price", "What does it cost to repair the zip of my %? It is four years old.",
		"Zips are repaired for free in the first five years. Send it in with the label below.", desk.TypeQuestion,
	},
	{
		"Still no answer", "I wrote about my % last week and heard nothing. This is not good.",
		"I am sorry, your mail went to the wrong team. I take care of it now and come back today.", desk.TypeComplaint,
	},
}

var asciiOf = strings.NewReplacer("á", "a", "é", "e", "ö", "o", "ø", "o", "å", "a", "ü", "u")

func ascii(name string) string { return asciiOf.Replace(strings.ToLower(name)) }
