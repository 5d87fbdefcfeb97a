package richtext

import (
	"strings"
	"testing"
)

// newsletter is HTML as newsletters write it, about 20 kB.
func newsletter() string {
	row := `<tr><td align="center" valign="top" style="padding: 10px 20px; font-family: Arial, Helvetica, sans-serif; font-size: 14px; color: #333333; background: url(https://x.example/b.png) #fff">` +
		`<p style="margin:0 0 10px 0"><b>An offer</b> for you: <a href="https://shop.example/?utm_source=mail&amp;utm_campaign=spring" style="color:#0066cc;text-decoration:underline">read on</a></p><img src="https://shop.example/p.jpg" width="200" height="100" alt="Product"></td></tr>`
	return `<!DOCTYPE html><html><head><title>News</title><style>td{color:red}</style></head><body bgcolor="#ffffff"><table width="600" cellpadding="0" cellspacing="0" border="0">` + strings.Repeat(row, 45) + `</table></body></html>`
}

func BenchmarkSanitizeNewsletter(b *testing.B) {
	in := newsletter()
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		Sanitize(in)
	}
}

func BenchmarkTextNewsletter(b *testing.B) {
	in := newsletter()
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		Text(in)
	}
}

func BenchmarkSanitizeManyAngles(b *testing.B) {
	in := strings.Repeat("<", 1_000_000)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		Sanitize(in)
	}
}
