#ifndef ASSAY_SERVICES_REPOSITORIES_FIXED_REFS_H_
#define ASSAY_SERVICES_REPOSITORIES_FIXED_REFS_H_

#include <git2.h>

#include <filesystem>
#include <string>

#include "proto/base/error.h"

namespace assay::repositories {

// Makes the ref `name` ("refs/submissions/1") of the repository at `path`
// point at `commit`, durably and for ever. It appears whole or not at all, and
// no lock is taken that a crash could leave behind. May be repeated.
//
// kNotFound: no such commit. kAlreadyExists: it points elsewhere.
//
// What is there already is flushed again: who wrote it may have died before.
Status WriteFixedRef(git_repository* repository,
                     const std::filesystem::path& path, const std::string& name,
                     const std::string& commit);

// Whether it is there, flushed or not. kAlreadyExists as above.
Expected<bool> HasFixedRef(git_repository* repository, const std::string& name,
                           const std::string& commit);

}  // namespace assay::repositories

#endif  // ASSAY_SERVICES_REPOSITORIES_FIXED_REFS_H_
