package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// DescribeFastSnapshotRestores lists fast snapshot restores.
func (a *API) DescribeFastSnapshotRestores(
	ctx context.Context, in *ec2.DescribeFastSnapshotRestoresInput,
) (*ec2.DescribeFastSnapshotRestoresOutput, error) {
	out := &ec2.DescribeFastSnapshotRestoresOutput{
		FastSnapshotRestores: []types.DescribeFastSnapshotRestoreSuccessItem{},
	}
	return out, a.none(ctx, absent{
		operation: "DescribeFastSnapshotRestores",
		dryRun:    in.DryRun, filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
	})
}

// DescribeImportImageTasks lists imports of images.
func (a *API) DescribeImportImageTasks(
	ctx context.Context, in *ec2.DescribeImportImageTasksInput,
) (*ec2.DescribeImportImageTasksOutput, error) {
	out := &ec2.DescribeImportImageTasksOutput{ImportImageTasks: []types.ImportImageTask{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.ImportTaskIds, filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidConversionTaskId", text: "The import task ID",
	})
}

// DescribeImportSnapshotTasks lists imports of snapshots.
func (a *API) DescribeImportSnapshotTasks(
	ctx context.Context, in *ec2.DescribeImportSnapshotTasksInput,
) (*ec2.DescribeImportSnapshotTasksOutput, error) {
	out := &ec2.DescribeImportSnapshotTasksOutput{ImportSnapshotTasks: []types.ImportSnapshotTask{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.ImportTaskIds, filters: in.Filters, page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidConversionTaskId", text: "The import task ID",
	})
}

// DescribeExportTasks lists exports of instances.
func (a *API) DescribeExportTasks(
	ctx context.Context, in *ec2.DescribeExportTasksInput,
) (*ec2.DescribeExportTasksOutput, error) {
	out := &ec2.DescribeExportTasksOutput{ExportTasks: []types.ExportTask{}}
	return out, a.none(ctx, absent{
		ids: in.ExportTaskIds, filters: in.Filters,
		code: "InvalidExportTaskID.NotFound", text: "The export task ID",
	})
}

// DescribeExportImageTasks lists exports of images.
func (a *API) DescribeExportImageTasks(
	ctx context.Context, in *ec2.DescribeExportImageTasksInput,
) (*ec2.DescribeExportImageTasksOutput, error) {
	out := &ec2.DescribeExportImageTasksOutput{ExportImageTasks: []types.ExportImageTask{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.ExportImageTaskIds, filters: in.Filters,
		page: pageRequest{in.MaxResults, in.NextToken},
		code: "InvalidExportImageTaskId.NotFound", text: "The export task ID",
	})
}

// DescribeConversionTasks lists conversions of machines.
func (a *API) DescribeConversionTasks(
	ctx context.Context, in *ec2.DescribeConversionTasksInput,
) (*ec2.DescribeConversionTasksOutput, error) {
	out := &ec2.DescribeConversionTasksOutput{ConversionTasks: []types.ConversionTask{}}
	return out, a.none(ctx, absent{
		dryRun: in.DryRun, ids: in.ConversionTaskIds,
		code: "InvalidConversionTaskId", text: "The conversion task ID",
	})
}

// DescribeBundleTasks lists bundles of Windows instances.
func (a *API) DescribeBundleTasks(
	ctx context.Context, in *ec2.DescribeBundleTasksInput,
) (*ec2.DescribeBundleTasksOutput, error) {
	out := &ec2.DescribeBundleTasksOutput{BundleTasks: []types.BundleTask{}}
	return out, a.none(ctx, absent{
		operation: "DescribeBundleTasks",
		dryRun:    in.DryRun, ids: in.BundleIds, filters: in.Filters,
		code: "InvalidBundleID.NotFound", text: "The bundle task ID",
	})
}
