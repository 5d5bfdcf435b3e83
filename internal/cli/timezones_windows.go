package cli

import _ "time/tzdata" // Windows has no IANA time zones, which schedules name
