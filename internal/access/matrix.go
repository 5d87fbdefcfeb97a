package access

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"

	"github.com/deskbell/deskbell/internal/desk"
)

//go:embed matrix.csv
var matrixCSV string

// Reach is how far a permission goes.
type Reach string

// The words of the matrix.
const (
	ReachNone Reach = ""
	ReachTeam Reach = "team" // records of the caller's teams
	ReachAll  Reach = "all"
)

var matrix = mustReadMatrix(matrixCSV)

// mustReadMatrix turns the file into role -> permission -> reach.
func mustReadMatrix(text string) map[desk.Role]map[string]Reach {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("access: matrix.csv: %v", err))
	}
	out := map[desk.Role]map[string]Reach{}
	for _, role := range rows[0][1:] {
		out[desk.Role(role)] = map[string]Reach{}
	}
	for _, row := range rows[1:] {
		for i, word := range row[1:] {
			reach := Reach(word)
			if word == "none" {
				reach = ReachNone
			}
			out[desk.Role(rows[0][i+1])][row[0]] = reach
		}
	}
	return out
}

// Permissions lists every permission of the matrix, sorted.
func Permissions() []string {
	var all []string
	for p := range matrix[desk.RoleOwner] {
		all = append(all, p)
	}
	slices.Sort(all)
	return all
}

// permissionsOf adds up what the roles hold; the farthest reach wins.
func permissionsOf(roles []desk.Role) map[string]string {
	sum := map[string]string{}
	for _, role := range roles {
		for p, reach := range matrix[role] {
			if reach == ReachAll || reach == ReachTeam && sum[p] == "" {
				sum[p] = string(reach)
			}
		}
	}
	return sum
}
