#ifndef ASSAY_SERVICES_DISPATCH_SOURCES_H_
#define ASSAY_SERVICES_DISPATCH_SOURCES_H_

#include <functional>
#include <string>

#include "services/dispatch/content.h"

namespace assay::storage {
class BlobStore;
class Store;
}  // namespace assay::storage
namespace assay::repositories {
class Repositories;
}

namespace assay::dispatch {

// Sees to it that a repository is on this disk with a commit, where
// several coordinators share them; absent: it always is.
using ReadyWithCommit = std::function<rpc::Async<void>(RepositoryId repository,
                                                       std::string commit)>;

// Plans from the blob store, packs from the attempts' repositories. Leases of
// one commit share a pack's file, which goes when the last of them ends; those
// of one plan share its bytes.
//
// Ownership: borrows all three for as long as any content of it lives.
ContentSources MakeContentSources(storage::Store& store,
                                  storage::BlobStore& blobs,
                                  repositories::Repositories& repositories,
                                  ReadyWithCommit ready = {});

}  // namespace assay::dispatch

#endif  // ASSAY_SERVICES_DISPATCH_SOURCES_H_
