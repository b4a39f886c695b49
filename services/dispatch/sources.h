#ifndef ASSAY_SERVICES_DISPATCH_SOURCES_H_
#define ASSAY_SERVICES_DISPATCH_SOURCES_H_

#include "services/dispatch/content.h"

namespace assay::storage {
class BlobStore;
class Store;
}  // namespace assay::storage
namespace assay::repositories {
class Repositories;
}

namespace assay::dispatch {

// Plans from the blob store, packs from the attempts' repositories. Leases of
// one commit share a pack's file, which goes when the last of them ends.
//
// Ownership: borrows all three for as long as any content of it lives.
ContentSources MakeContentSources(storage::Store& store,
                                  storage::BlobStore& blobs,
                                  repositories::Repositories& repositories);

}  // namespace assay::dispatch

#endif  // ASSAY_SERVICES_DISPATCH_SOURCES_H_
