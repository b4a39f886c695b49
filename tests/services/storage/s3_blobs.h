#ifndef ASSAY_TESTS_SERVICES_STORAGE_S3_BLOBS_H_
#define ASSAY_TESTS_SERVICES_STORAGE_S3_BLOBS_H_

#include "services/storage/blobs/s3_settings.h"
#include "tests/testing/s3_server.h"

namespace assay::storage {

// Whether the tests of the S3 blob store are to run.
bool HaveS3();

// One for all tests of the process.
tests::S3Server& SharedS3();

// To `server`, with small parts and without patience.
S3Settings SettingsFor(const tests::S3Server& server);
S3Settings SharedS3Settings();

}  // namespace assay::storage

#endif  // ASSAY_TESTS_SERVICES_STORAGE_S3_BLOBS_H_
