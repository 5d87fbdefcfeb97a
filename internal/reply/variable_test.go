package reply

import "testing"

func TestVariablesAreFilledIn(t *testing.T) {
	values := map[string]string{"ticket.number": "1001", "customer.first_name": "<Maren>", "desk.name": "Desk"}
	for text, want := range map[string]string{
		"<p>Hello {{customer.first_name}}, #{{ ticket.number }}</p>":     "<p>Hello &lt;Maren&gt;, #1001</p>",
		"<p>{{desk.name|we}} thank you</p>":                              "<p>Desk thank you</p>",
		"<p>{{customer.surname|friend}}, { and } stay</p>":               "<p>friend, { and } stay</p>",
		"<p>Hello {{nobody}}, and {{nobody| a stranger }}: welcome!</p>": "<p>Hello, and a stranger: welcome!</p>",
	} {
		if got := fill(text, values); got != want {
			t.Errorf("%s became %s", text, got)
		}
	}
	if err := CheckText("{{ticket.number}} {{customer.first_name|you}} {{ desk.name }}"); err != nil {
		t.Error(err)
	}
	if CheckText("{{ticket.subject}}") == nil {
		t.Error("an unknown variable was taken")
	}
}

func TestAFirstNameIsNoMessage(t *testing.T) {
	for name, want := range map[string]string{
		"Maren Holt": "Maren", "Holt, Maren": "Maren", `"O’Neil Jane"`: "O’Neil", "Zoë": "Zoë", "Jean-Luc Picard": "Jean-Luc",
		"": "", "www.evil.test Shop": "", "Buy at https://evil.test": "Buy", "a@b.test": "", "You have won a big prize today": "",
		"Win 1000 EUR, click": "", "12 Monkeys": "", "Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": "",
	} {
		if got := firstName(name); got != want {
			t.Errorf("%q gave %q, not %q", name, got, want)
		}
	}
}
