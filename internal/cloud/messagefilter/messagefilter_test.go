package messagefilter_test

import (
	"testing"

	"aloft.dev/aloft/internal/cloud/messagefilter"
	"aloft.dev/aloft/internal/cloud/store"
)

func TestPoliciesAboutAttributes(t *testing.T) {
	attributes := []store.MessageAttribute{
		{Name: "store", Type: "String", Value: "example_corp"},
		{Name: "price", Type: "Number", Value: "150.00"},
		{Name: "interests", Type: "String.Array", Value: `["rugby","football",7,true,null]`},
		{Name: "address", Type: "String", Value: "10.1.2.3"},
		{Name: "bytes", Type: "Binary", Value: "cnVnYnk="},
	}
	for policy, want := range map[string]bool{
		`{}`:                         true,
		`{"store":["example_corp"]}`: true,
		`{"store":["other"]}`:        false,
		`{"store":["other","example_corp"],"price":[150]}`:      true,
		`{"store":["example_corp"],"price":[100]}`:              false,
		`{"price":["150.00"]}`:                                  false,
		`{"missing":["a"]}`:                                     false,
		`{"missing":[{"exists":false}]}`:                        true,
		`{"store":[{"exists":false}]}`:                          false,
		`{"store":[{"exists":true}]}`:                           true,
		`{"bytes":[{"exists":true}]}`:                           false,
		`{"store":[{"prefix":"exam"}]}`:                         true,
		`{"store":[{"suffix":"corp"}]}`:                         true,
		`{"store":[{"suffix":"x"},{"prefix":"e"}]}`:             true,
		`{"store":[{"equals-ignore-case":"EXAMPLE_corp"}]}`:     true,
		`{"store":[{"wildcard":"ex*_*rp"}]}`:                    true,
		`{"store":[{"wildcard":"ex*_"}]}`:                       false,
		`{"store":[{"anything-but":"example_corp"}]}`:           false,
		`{"store":[{"anything-but":["a","b"]}]}`:                true,
		`{"store":[{"anything-but":{"prefix":"exam"}}]}`:        false,
		`{"missing":[{"anything-but":"a"}]}`:                    false,
		`{"interests":["rugby"]}`:                               true,
		`{"interests":[7]}`:                                     true,
		`{"interests":[true]}`:                                  true,
		`{"interests":[null]}`:                                  true,
		`{"interests":[{"anything-but":["rugby"]}]}`:            true, // football is something else
		`{"price":[{"numeric":["=",150]}]}`:                     true,
		`{"price":[{"numeric":[">",100,"<=",150]}]}`:            true,
		`{"price":[{"numeric":[">=",150,"<",151]}]}`:            true,
		`{"price":[{"numeric":["<",150]}]}`:                     false,
		`{"store":[{"numeric":["=",150]}]}`:                     false,
		`{"address":[{"cidr":"10.0.0.0/8"}]}`:                   true,
		`{"address":[{"cidr":"192.0.2.0/24"}]}`:                 false,
		`{"$or":[{"store":["a"]},{"price":[150]}]}`:             true,
		`{"$or":[{"store":["a"]},{"price":[1]}]}`:               false,
		`{"store":["a"],"$or":[{"price":[1]},{"price":[150]}]}`: false,
	} {
		p, err := messagefilter.Parse(policy, messagefilter.Attributes)
		if err != nil {
			t.Fatalf("%s: %v", policy, err)
		}
		if got := p.Match("text", attributes); got != want {
			t.Errorf("%s: got %v", policy, got)
		}
	}
}

func TestPoliciesAboutBodies(t *testing.T) {
	const body = `{"store":"corp","event":{"kind":"order","lines":[{"sku":"a","n":1},{"sku":"b","n":2}]},"gone":null}`
	for policy, want := range map[string]bool{
		`{"store":["corp"]}`:                        true,
		`{"event":{"kind":["order"]}}`:              true,
		`{"event":{"kind":["refund"]}}`:             false,
		`{"event":{"lines":{"sku":["b"]}}}`:         true,
		`{"event":{"lines":{"sku":["b"],"n":[2]}}}`: true,
		`{"event":{"lines":{"sku":["b"],"n":[1]}}}`: false, // of different lines
		`{"event":{"other":[{"exists":false}]}}`:    true,
		`{"other":{"deep":[{"exists":false}]}}`:     true,
		`{"other":{"deep":["a"]}}`:                  false,
		`{"event":[{"exists":true}]}`:               false, // not a leaf
		`{"gone":[null]}`:                           true,

		`{"$or":[{"store":["a"]},{"event":{"kind":[{"prefix":"or"}]}}]}`: true,
	} {
		p, err := messagefilter.Parse(policy, messagefilter.Body)
		if err != nil {
			t.Fatalf("%s: %v", policy, err)
		}
		if got := p.Match(body, nil); got != want {
			t.Errorf("%s: got %v", policy, got)
		}
		if p.Match("no JSON", nil) {
			t.Errorf("%s matches a text", policy)
		}
	}
}

func TestPoliciesThatAreRefused(t *testing.T) {
	for policy, want := range map[string]string{
		`[]`:                                         "Filter is not an object",
		`{"k":"v"}`:                                  `"k" must be an object or an array`,
		`{"k":{"suffix":"v"}}`:                       `"suffix" must be an object or an array`,
		`{"k":[["v"]]}`:                              "Match value must be String, number, true, false, or null",
		`{"k":[{"wrong":true}]}`:                     "Unrecognized match type wrong",
		`{"k":[{"suffix":"a","prefix":"b"}]}`:        "Only one key allowed in match expression",
		`{"k":[{"suffix":100}]}`:                     "suffix match pattern must be a string",
		`{"k":[{"exists":"no"}]}`:                    "exists match pattern must be either true or false.",
		`{"k":[{"numeric":[]}]}`:                     "Invalid member in numeric match: ]",
		`{"k":[{"numeric":["operator"]}]}`:           "Unrecognized numeric range operator: operator",
		`{"k":[{"numeric":[1,"<="]}]}`:               "Invalid member in numeric match: 1",
		`{"k":[{"numeric":["=","000"]}]}`:            "Value of equals must be numeric",
		`{"k":[{"numeric":[">="]}]}`:                 "Value of >= must be numeric",
		`{"k":[{"numeric":["<",100,">",10]}]}`:       "Too many elements in numeric expression",
		`{"k":[{"numeric":[">=",1,">",2]}]}`:         "Bad numeric range operator: >",
		`{"k":[{"numeric":[">",3,"<",1]}]}`:          "Bottom must be less than top",
		`{"k":[{"numeric":[">",20,"<="]}]}`:          "Value of <= must be numeric",
		`{"k":[{"numeric":[">",20,30]}]}`:            "Bad value in numeric range: 30",
		`{"k":[{"numeric":[">",20,"<",30,"<",50]}]}`: "Too many terms in numeric range expression",

		`{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1],"f":[1]}`: "Filter policy can not have more than 5 keys",

		`{"a":[1,2,3,4,5,6,7,8,9,10,11,12,13],"b":[1,2,3,4,5,6,7,8,9,10,11,12]}`: "Filter policy is too complex",
	} {
		if _, err := messagefilter.Parse(policy, messagefilter.Body); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", policy, err, want)
		}
	}
	_, err := messagefilter.Parse(`{"object":{"key":["a"]}}`, messagefilter.Attributes)
	if err != messagefilter.ErrNested {
		t.Errorf("got %v", err)
	}
}

// No policy is accepted that cannot be matched, with any message.
func FuzzParse(f *testing.F) {
	f.Add(`{"a":[{"prefix":"b"},{"numeric":[">",1,"<=",5]},{"anything-but":["c"]}]}`, `{"a":"bc"}`, true)
	f.Add(`{"$or":[{"a":{"b":[{"exists":false}]}},{"c":[{"cidr":"10.0.0.0/8"},{"wildcard":"*x*"}]}]}`,
		`{"c":[["10.1.2.3"]]}`, false)
	f.Fuzz(func(_ *testing.T, policy, message string, body bool) {
		scope := messagefilter.Attributes
		if body {
			scope = messagefilter.Body
		}
		if p, err := messagefilter.Parse(policy, scope); err == nil {
			p.Match(message, []store.MessageAttribute{{Name: "a", Type: "String", Value: message}})
		}
	})
}
