package s3

import (
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"aloft.dev/aloft/internal/cloud/wire"
)

// Classes of storage. Objects of readable ones can be read at once, as all objects here: their class is a matter of
// price. Those of archives would have to be restored first.
var (
	readable = []types.StorageClass{
		types.StorageClassStandard, types.StorageClassStandardIa, types.StorageClassOnezoneIa,
		types.StorageClassIntelligentTiering, types.StorageClassGlacierIr, types.StorageClassReducedRedundancy,
	}
	archives = []types.StorageClass{types.StorageClassGlacier, types.StorageClassDeepArchive}
)

// checkStorageClass refuses a class of storage that objects cannot have.
func checkStorageClass(field reflect.Value) error {
	class := types.StorageClass(field.String())
	switch {
	case slices.Contains(readable, class):
		return nil
	case slices.Contains(archives, class):
		return wire.NotImplemented("the storage class %s of S3", class)
	}
	return wire.Errorf("InvalidStorageClass", "The storage class you specified is not valid")
}

// storedClass returns a class of storage as rows have it: "" for the default.
func storedClass(class types.StorageClass) string {
	if class == types.StorageClassStandard {
		return ""
	}
	return string(class)
}

// classOf returns a stored class of storage as lists have it.
func classOf(stored string) string {
	if stored == "" {
		return string(types.StorageClassStandard)
	}
	return stored
}
