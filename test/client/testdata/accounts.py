# What a suite with two accounts does. It prints what is wrong.
import boto3, botocore.auth, botocore.awsrequest, botocore.exceptions, json, os, urllib.error, urllib.request

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
A, B = "111122223333", "444455556666"

def client(service, key, token=None, secret="any"):
    return boto3.client(service, endpoint_url=ENDPOINT, region_name="us-east-1", aws_access_key_id=key,
                        aws_secret_access_key=secret, aws_session_token=token)

def check(what, got, want):
    if got != want:
        print("%s: got %s, want %s" % (what, got, want))

def code(call, **parameters):
    try:
        call(**parameters)
    except botocore.exceptions.ClientError as e:
        return e.response["Error"]["Code"]

def account(key, token=None, secret="any"):
    return client("sts", key, token, secret).get_caller_identity()["Account"]

check("account of a number", account(A), A)
check("account of another key", account("AKIAIOSFODNN7EXAMPLE"), "000000000000")
check("account of a short number", account("11112222333"), "000000000000")

a, b = client("ec2", A), client("ec2", B)
vpcs = {key: ec2.describe_vpcs()["Vpcs"] for key, ec2 in ((A, a), (B, b))}
for key, found in vpcs.items():
    check("default VPCs", [(v["OwnerId"], v["IsDefault"]) for v in found], [(key, True)])
for ec2 in a, b:
    check("a name of an account's own", code(ec2.create_key_pair, KeyName="same"), None)
    check("the name again", code(ec2.create_key_pair, KeyName="same"), "InvalidKeyPair.Duplicate")
check("a VPC of another account", code(b.delete_vpc, VpcId=vpcs[A][0]["VpcId"]), "InvalidVpcID.NotFound")
ours = {"Owners": ["amazon"], "Filters": [{"Name": "architecture", "Values": ["x86_64"]}]}
public = [image["ImageId"] for image in a.describe_images(**ours)["Images"]]
check("public images", [image["ImageId"] for image in b.describe_images(**ours)["Images"]], public)

bucket = dict(Bucket="one-for-all")
client("s3", A).create_bucket(**bucket)
check("the name of a bucket", code(client("s3", B).create_bucket, **bucket), "BucketAlreadyExists")
check("the bucket", code(client("s3", B).list_objects_v2, **bucket), "AccessDenied")
check("the buckets", client("s3", B).list_buckets()["Buckets"], [])

instance = a.run_instances(ImageId=public[0], MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
waiter = a.get_waiter("instance_running")
waiter.config.delay = 0.05
waiter.wait(InstanceIds=[instance])
image = a.create_image(InstanceId=instance, Name="shared")["ImageId"]
waiter = a.get_waiter("image_available")
waiter.config.delay = 0.05
waiter.wait(ImageIds=[image])
check("instances", b.describe_instances()["Reservations"], [])
check("an image", code(b.describe_images, ImageIds=[image]), "InvalidAMIID.NotFound")
a.create_tags(Resources=[image], Tags=[{"Key": "ours", "Value": "alone"}])
a.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": B}]})
seen = b.describe_images(ExecutableUsers=["self"])["Images"]
check("a shared image", [(i["ImageId"], i["OwnerId"], i.get("Tags", [])) for i in seen], [(image, A, [])])
check("images of its own", b.describe_images(Owners=["self"])["Images"], [])
check("the permissions", a.describe_image_attribute(ImageId=image, Attribute="launchPermission")["LaunchPermissions"],
      [{"UserId": B}])
check("a launch", code(b.run_instances, ImageId=image, MinCount=1, MaxCount=1), None)
check("no right to share", code(b.modify_image_attribute, ImageId=image, LaunchPermission={"Add": [{"UserId": A}]}),
      "AuthFailure")
check("no right to copy", code(b.copy_image, SourceImageId=image, SourceRegion="us-east-1", Name="copy"),
      "InvalidRequest")
snapshot = seen[0]["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
a.modify_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=[B])
check("a shared snapshot", [s["OwnerId"] for s in b.describe_snapshots(RestorableByUserIds=["self"])["Snapshots"]], [A])
check("a volume of it", code(b.create_volume, SnapshotId=snapshot, AvailabilityZone="us-east-1a"), None)
check("a copy", code(b.copy_image, SourceImageId=image, SourceRegion="us-east-1", Name="copy"), None)
check("a malformed account", code(a.modify_image_attribute, ImageId=image, LaunchPermission={"Add": [{"UserId": "1"}]}),
      "InvalidAMIAttributeItemValue")
a.reset_image_attribute(ImageId=image, Attribute="launchPermission")
check("an image no longer shared", code(b.describe_images, ImageIds=[image]), "InvalidAMIID.NotFound")

near = a.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
far = b.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
peering = a.create_vpc_peering_connection(VpcId=near, PeerVpcId=far, PeerOwnerId=B)["VpcPeeringConnection"]
pcx = dict(VpcPeeringConnectionId=peering["VpcPeeringConnectionId"])
check("the requester accepts", code(a.accept_vpc_peering_connection, **pcx), "OperationNotPermitted")
b.accept_vpc_peering_connection(**pcx)
for ec2 in a, b:
    found = ec2.describe_vpc_peering_connections()["VpcPeeringConnections"][0]
    check("a connection", (found["Status"]["Code"], found["RequesterVpcInfo"]["OwnerId"],
                           found["AccepterVpcInfo"]["OwnerId"]), ("active", A, B))
table = b.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [far]}])["RouteTables"][0]["RouteTableId"]
check("a route", code(b.create_route, RouteTableId=table, DestinationCidrBlock="10.0.0.0/16", **pcx), None)
group = b.create_security_group(GroupName="web", Description="web", VpcId=far)["GroupId"]
theirs = a.create_security_group(GroupName="web", Description="web", VpcId=near)["GroupId"]
pair = {"UserId": A, "GroupId": theirs}
check("a rule for a peer", code(b.authorize_security_group_ingress, GroupId=group, IpPermissions=[
    {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [pair]}]), None)
rules = b.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
check("the rule's owner", rules[0]["UserIdGroupPairs"][0]["UserId"], A)
wrong = a.create_vpc_peering_connection(VpcId=near, PeerVpcId="vpc-0123456789abcdef0", PeerOwnerId=B)
wrong = [wrong["VpcPeeringConnection"]["VpcPeeringConnectionId"]]
found = a.describe_vpc_peering_connections(VpcPeeringConnectionIds=wrong)["VpcPeeringConnections"][0]
check("a VPC that does not exist", found["Status"]["Code"], "failed")
check("that for the other account", code(b.describe_vpc_peering_connections, VpcPeeringConnectionIds=wrong),
      "InvalidVpcPeeringConnectionID.NotFound")

def trusting(principal):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": principal}}]})

iam = client("iam", A)
role = iam.create_role(RoleName="visitor", AssumeRolePolicyDocument=trusting(B))["Role"]["Arn"]
check("the role's account", role, "arn:aws:iam::%s:role/visitor" % A)
iam.put_role_policy(RoleName="visitor", PolicyName="all", PolicyDocument=json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))
check("roles", client("iam", B).list_roles()["Roles"], [])
keys = client("sts", B).assume_role(RoleArn=role, RoleSessionName="visit")["Credentials"]
keys = (keys["AccessKeyId"], keys["SessionToken"], keys["SecretAccessKey"])
check("the account of the role's keys", account(*keys[:2], secret=keys[2]), A)
visiting = client("ec2", keys[0], keys[1], keys[2])
check("what the role sees", [v["VpcId"] for v in visiting.describe_vpcs()["Vpcs"]], sorted(
    v["VpcId"] for v in a.describe_vpcs()["Vpcs"]))
check("a role that does not trust", code(client("sts", "000000000000").assume_role, RoleArn=role, RoleSessionName="visit"),
      "AccessDenied")

def reset(key):
    request = botocore.awsrequest.AWSRequest("POST", ENDPOINT + "/_aloft/reset", data=b"")
    credentials = botocore.credentials.Credentials(key, "any")
    botocore.auth.SigV4Auth(credentials, "aloft", "local").add_auth(request)
    try:
        urllib.request.urlopen(urllib.request.Request(request.url, b"", dict(request.headers), method="POST")).read()
    except urllib.error.HTTPError as e:
        return e.code

check("a reset by an account", reset(A), 403)
check("a reset", reset("000000000000"), None)
check("VPCs after a reset", len(a.describe_vpcs()["Vpcs"]), 1)
