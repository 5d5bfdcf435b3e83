package spec

// keyDoc documents a key of aloft.yaml.
type keyDoc struct {
	meaning string
	limits  string // the allowed values; "" if the type says enough
	absent  string // what an absent key means; "" if it has the default that defaults.go sets
}

// keyDocs documents every key by its path. The JSON Schema and the page
// docs/aloft-yaml.md are generated from it.
var keyDocs = map[string]keyDoc{
	"app": {
		meaning: "the application's name",
		limits: "lower-case letters, digits and hyphens, a letter first; at most 25, with its stage; " +
			"not internal or sg, nor beginning with internal- or sg-",
		absent: "the folder's name",
	},
	"region": {
		meaning: "AWS region; --region goes before it",
		limits:  "a region's name",
		absent:  "with --on aws: AWS_REGION, AWS_DEFAULT_REGION or the profile's region; else us-east-1",
	},
	"source": {
		meaning: "where the application's source is; a text is its path",
		absent:  "this folder",
	},
	"source.path": {
		meaning: "the application's folder, relative to aloft.yaml",
		limits:  "not together with git",
		absent:  "this folder",
	},
	"source.git": {meaning: "URL of a git repository, which Aloft clones on your computer, with your keys"},
	"source.ref": {
		meaning: "branch, tag or commit of the repository",
		limits:  "only with git",
		absent:  "HEAD",
	},
	"source.dir": {meaning: "the application's folder in the repository, or below path"},
	"build":      {meaning: "how the application is built, where its files do not say it"},
	"build.packages": {
		meaning: "packages of the distribution to install",
		limits:  "names of Debian's packages; on Amazon Linux its own names",
	},
	"build.commands": {
		meaning: "command lines that build the application, in the source's folder, as its user",
		absent:  "what package.json, requirements.txt, pyproject.toml or go.mod ask for",
	},
	"start": {
		meaning: "command line that starts the application, in the source's folder",
		limits:  "one line",
		absent:  "the web process of the Procfile, else what the application's files say",
	},
	"processes": {
		meaning: "other processes on the same servers, by name: command lines, each a service of its own",
		limits:  "names of lower-case letters, digits and hyphens",
		absent:  "the other processes of the Procfile",
	},
	"port": {
		meaning: "TCP port on which the application listens; also in the variable PORT",
		limits:  "1 to 65535",
	},
	"domain": {
		meaning: "the application's name in DNS, or several, the main one first: it is served over HTTPS then, and " +
			"HTTP redirects there",
		limits: "at most 10; lower case, no wildcards",
	},
	"certificate": {
		meaning: "ARN of a certificate of one's own in AWS Certificate Manager, for all the names",
		limits:  "only with domain; in the application's region",
		absent:  "Aloft requests one, which AWS renews",
	},
	"hsts": {
		meaning: "tells browsers to use HTTPS alone for a year (Strict-Transport-Security)",
		limits:  "only with domain",
	},
	"env": {
		meaning: "environment variables of the application, kept in Parameter Store and in no image",
		limits:  "names of letters, digits and underscores",
	},
	"env_file": {
		meaning: "file with more environment variables, such as .env, relative to aloft.yaml",
		limits:  "lines of NAME=value; env goes before it",
	},
	"secrets": {
		meaning: "environment variables whose values servers read at their start: ssm:/path of a parameter, " +
			"secretsmanager:name of a secret, or secretsmanager:name#key of a value in its JSON",
		limits: "names of letters, digits and underscores; not also in env",
	},
	"alerts": {
		meaning: "email addresses that are told when users feel a failure",
		limits:  "at most 10; each must confirm by the link in an email",
		absent:  "nobody is told",
	},
	"permissions":           {meaning: "what the application itself may do in AWS"},
	"permissions[].actions": {meaning: "actions to allow", limits: "required; such as s3:GetObject"},
	"permissions[].resources": {
		meaning: "ARNs on which they are allowed",
		limits:  `required; "*" for all`,
	},
	"tags": {
		meaning: "tags of everything that the application has in AWS; those of others are left alone",
		limits: "at most 37; keys of 1 to 128 characters, values of at most 256, of letters, digits, spaces and " +
			"_.:/=+-@; not Name, nor beginning with aws: or aloft:",
	},
	"protect": {
		meaning: "protects the application: aloft down, and changes that would delete or replace what it needs, " +
			"are refused without --unprotect, and AWS refuses to delete its load balancer",
		absent: "false",
	},
	"logs": {
		meaning: "the log of each server goes to CloudWatch Logs, where it outlives the server",
		absent:  "lines stay on the servers",
	},
	"logs.retention": {
		meaning: "for how long lines are kept",
		limits: "1d, 3d, 5d, 7d, 14d, 30d, 60d, 90d, 120d, 150d, 180d, 365d, 400d, 545d, 731d, 1096d, 1827d, 2192d, " +
			"2557d, 2922d, 3288d or 3653d",
	},
	"access_logs": {
		meaning: "the load balancer writes a line for each request to files in a bucket of the application; true, " +
			"false, or for how long",
		absent: "false",
	},
	"access_logs.enabled": {meaning: "whether it does", absent: "true"},
	"access_logs.retention": {
		meaning: "for how long files are kept",
		limits:  "1d to 3653d",
	},
	"machines": {meaning: "the servers"},
	"machines.count": {
		meaning: "number of servers, spread over the subnets in turn",
		limits:  "1 to 30; not together with scaling",
	},
	"machines.type": {
		meaning: "EC2 instance type, or several in order of preference, for zones without capacity for the first",
		limits:  "at most 10; all of one architecture",
	},
	"machines.builder": {
		meaning: "instance type of the machine that builds a release, or several in order of preference: for " +
			"builds that need more memory than the servers have",
		limits: "at most 10; of the servers' architecture",
		absent: "machines.type",
	},
	"machines.fallback": {
		meaning: "zone lets a server move to another zone if its own has no capacity for any of the types",
		limits:  "zone; not together with scaling, whose group always may",
	},
	"machines.image": {
		meaning: "base image of the servers",
		limits:  "debian-12, debian-13, ubuntu-24.04, amazon-linux-2023, or the ID of an AMI",
	},
	"machines.role": {
		meaning: "name of an IAM role for the servers, which has an instance profile of the same name",
		limits:  "not together with permissions",
		absent:  "Aloft makes a role if env, env_file, secrets or permissions need one",
	},
	"machines.key": {
		meaning: "file of an OpenSSH public key to import, relative to aloft.yaml",
		absent:  "Aloft makes a key pair",
	},
	"scaling": {meaning: "an Auto Scaling group, in place of a fixed number of servers"},
	"scaling.min": {
		meaning: "smallest number of servers that carry the load",
		limits:  "1 to 30",
		absent:  "one per subnet",
	},
	"scaling.max": {
		meaning: "largest number of servers",
		limits:  "1 to 30, not less than the minimum",
		absent:  "twice the minimum",
	},
	"scaling.target": {meaning: "what the number of servers follows; {} for nothing"},
	"scaling.target.cpu": {
		meaning: "average CPU utilization of the servers, in per cent",
		limits:  "10 to 90; not together with requests_per_target",
		absent:  "60 if target is absent",
	},
	"scaling.target.requests_per_target": {
		meaning: "requests per minute and server",
		limits:  "1 to 10000000",
	},
	"scaling.schedule": {meaning: "sizes at times of the day, the week or the year"},
	"scaling.schedule[].cron": {
		meaning: "when: minute, hour, day of the month, month, day of the week",
		limits:  "required; names such as MON and JAN are allowed",
	},
	"scaling.schedule[].timezone": {
		meaning: "time zone of cron",
		limits:  "a name such as Europe/Berlin",
		absent:  "Etc/UTC",
	},
	"scaling.schedule[].min": {
		meaning: "new minimum",
		limits:  "1 to 30",
	},
	"scaling.schedule[].max": {
		meaning: "new maximum",
		limits:  "1 to 30",
	},
	"scaling.schedule[].desired": {meaning: "new number of servers, between the minimum and the maximum"},
	"scaling.survive": {
		meaning: "zone adds as many servers as carry the load when a zone is lost",
		limits:  "zone",
	},
	"network": {meaning: "the VPC and its subnets"},
	"network.vpc": {
		meaning: "the id of a VPC that exists, which is used and never changed",
		limits:  "with the ids of its subnets in subnets; not together with cidr or nat",
		absent:  "Aloft makes a VPC",
	},
	"network.cidr": {
		meaning: "the VPC's addresses",
		limits:  "/16 to /28",
	},
	"network.subnets": {
		meaning: "the subnets; a text is a subnet's cidr, or its id with vpc; a mapping names subnets of vpc",
		limits:  "two or more, each in another zone",
		absent:  "three of 256 addresses, within cidr",
	},
	"network.private": {
		meaning: "true puts the servers into private subnets, one a zone, without public addresses; the load " +
			"balancer stays in the others",
		absent: "false; with vpc: true if subnets.private names some",
	},
	"network.nat": {
		meaning: "the way out of private servers: zone is a NAT gateway in each zone, single is one for all, none " +
			"leaves them without",
		limits: "zone, single or none; only with private, not with vpc",
		absent: "zone, with private",
	},
	"network.subnets.public": {
		meaning: "ids of subnets of vpc with a route to an internet gateway, for the load balancer and the " +
			"machines on which releases are made",
		limits: "two or more, each in another zone; only with vpc",
	},
	"network.subnets.private": {
		meaning: "ids of subnets of vpc for the servers",
		limits:  "one in the zone of each public one; only with vpc",
		absent:  "the servers are in the public ones",
	},
	"network.subnets[].id": {
		meaning: "the id of a subnet of vpc",
		limits:  "only with vpc",
	},
	"network.subnets[].cidr": {
		meaning: "the subnet's addresses",
		limits:  "/27 or larger, within the VPC's, without overlaps",
	},
	"network.subnets[].zone": {
		meaning: "Availability Zone",
		limits:  "of the region; each once",
		absent:  "the region's next zone without a subnet",
	},
	"network.subnets[].private": {
		meaning: "the addresses of the servers' subnet in the same zone",
		limits:  "/28 or larger, within the VPC's, without overlaps; only with network.private",
		absent:  "a free block of the size of cidr",
	},
	"security": {meaning: "who may connect to what"},
	"security.access": {
		meaning: "how Aloft and you reach servers: with a key pair, or through an EC2 Instance Connect Endpoint",
		limits:  "ssh or endpoint; endpoint not together with ssh.from or machines.key",
	},
	"security.ssh":             {meaning: "who may connect to port 22 of the servers"},
	"security.ssh.from":        {meaning: "addresses that may connect over SSH"},
	"security.ssh.allow_world": {meaning: "confirms that from contains 0.0.0.0/0, the whole internet"},
	"security.app":             {meaning: "who may connect to the application's port, besides the load balancer"},
	"security.app.from":        {meaning: "addresses that may connect to the servers directly"},
	"security.web":             {meaning: "who may connect to the load balancer"},
	"security.web.from":        {meaning: "addresses that may connect to the load balancer"},
	"load_balancer":            {meaning: "the load balancer, its listener and its target group"},
	"load_balancer.port": {
		meaning: "port of the HTTP listener",
		limits:  "1 to 65535",
	},
	"load_balancer.health": {meaning: "health check of the target group"},
	"load_balancer.health.path": {
		meaning: "path to request",
		limits:  "starts with /",
	},
	"load_balancer.health.interval": {
		meaning: "time between two checks of a server",
		limits:  "5s to 300s, whole seconds",
	},
	"load_balancer.health.timeout": {
		meaning: "time a server has to respond",
		limits:  "2s to 120s, whole seconds, less than interval",
	},
	"load_balancer.health.healthy": {
		meaning: "checks in a row that an unhealthy server must pass",
		limits:  "2 to 10",
	},
	"load_balancer.health.unhealthy": {
		meaning: "checks in a row that a healthy server must fail",
		limits:  "2 to 10",
	},
	"load_balancer.health.matcher": {
		meaning: "status codes that pass the check",
		limits:  "codes and ranges from 200 to 499: 200,204 or 200-299",
	},
	"load_balancer.deregistration_delay": {
		meaning: "how long a server that leaves may finish its requests",
		limits:  "0s to 1h, whole seconds",
	},
	"release": {meaning: "how a new release is put into service"},
	"release.command": {
		meaning: "command line that runs once for every release, on its first server before that serves: migrations",
		limits:  "one line",
		absent:  "the release process of the Procfile",
	},
	"release.watch": {
		meaning: "how long the first server of a release must respond before any receives requests",
		limits:  "0s to 10m, whole seconds",
	},
	"release.bake": {
		meaning: "how long Aloft watches health and errors after a release serves; use 3m or more on AWS, " +
			"whose metrics arrive every minute",
		limits: "0s to 1h, whole seconds",
	},
	"release.keep": {
		meaning: "number of releases whose images are kept for a rollback",
		limits:  "2 to 100",
	},
	"stages": {
		meaning: "what differs in each stage, by its name, which --stage chooses: all other keys, merged key by key; " +
			"lists are replaced, and null removes a key",
		limits: "names of lower-case letters, digits and hyphens, a letter first",
		absent: "the application has no stages",
	},
	"mirrors": {meaning: "where toolchains and packages come from; an address on this computer works"},
	"mirrors.node": {
		meaning: "mirror of nodejs.org/dist",
		absent:  "the variable NODEJS_ORG_MIRROR, else https://nodejs.org/dist",
	},
	"mirrors.npm": {
		meaning: "npm registry",
		absent:  "the variable npm_config_registry, else https://registry.npmjs.org",
	},
	"mirrors.python": {
		meaning: "Python package index",
		absent:  "the variable PIP_INDEX_URL, else https://pypi.org/simple",
	},
	"mirrors.go": {
		meaning: "Go module proxy",
		absent:  "the variable GOPROXY, else https://proxy.golang.org",
	},
}
