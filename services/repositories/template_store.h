#ifndef ASSAY_SERVICES_REPOSITORIES_TEMPLATE_STORE_H_
#define ASSAY_SERVICES_REPOSITORIES_TEMPLATE_STORE_H_

#include <filesystem>
#include <string>

#include "assay/v1/file_tree.pb.h"
#include "proto/base/error.h"

namespace assay::repositories {

// Templates on disk: `{root}/{commit}.git`, each a bare repository that holds
// the template's root commit with its trees and blobs and nothing else.
//
// `{commit}.git/skeleton/` has the files of a new attempt's repository, which
// are hard-linked into it: git replaces such files by renaming, never in
// place.
//
// Threads: any; calls do not share state but the disk.
class TemplateStore {
 public:
  explicit TemplateStore(std::filesystem::path root);

  // Stores the files as one commit and answers with it. The same files give
  // the same commit and are stored once. Nothing is left after a failure.
  Expected<std::string> Create(const v1::FileTree& files) const;

  // Makes `repository` (a path) with `main` at `commit`, borrowing objects
  // from this store. Durable when it returns; may be repeated.
  Status CreateRepository(const std::string& commit,
                          const std::filesystem::path& repository) const;

  std::filesystem::path Path(const std::string& commit) const;

 private:
  std::filesystem::path root_;
};

}  // namespace assay::repositories

#endif  // ASSAY_SERVICES_REPOSITORIES_TEMPLATE_STORE_H_
