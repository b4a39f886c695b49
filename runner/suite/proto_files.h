#ifndef ASSAY_RUNNER_SUITE_PROTO_FILES_H_
#define ASSAY_RUNNER_SUITE_PROTO_FILES_H_

#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/descriptor_database.h>

#include <map>
#include <string>

#include "runner/suite/report.h"

// The `.proto` files of a suite, read by protobuf's own parser.
namespace assay::suite {

// A suite's files, as imports name them: below the suite's folder, or beside
// the file that is read.
class ProtoFiles final : public google::protobuf::compiler::SourceTree {
 public:
  // `path` is the file that is read.
  void Use(std::map<std::string, std::string> files, const std::string& path);

  google::protobuf::io::ZeroCopyInputStream* Open(
      const std::string& name) override;
  std::string GetLastErrorMessage() override { return error_; }
  // Where in the suite the file lies that an import names so.
  std::string PathOf(const std::string& name) const;

 private:
  std::map<std::string, std::string> files_;
  std::string folder_;
  std::string error_;
};

// What protobuf itself brings, and nothing else that is in this program.
class WellKnownProtos final : public google::protobuf::DescriptorDatabase {
 public:
  bool FindFileByName(const std::string& name,
                      google::protobuf::FileDescriptorProto* file) override;
  bool FindFileContainingSymbol(
      const std::string& symbol,
      google::protobuf::FileDescriptorProto* file) override;
  bool FindFileContainingExtension(
      const std::string&, int,
      google::protobuf::FileDescriptorProto*) override {
    return false;
  }

 private:
  google::protobuf::DescriptorPoolDatabase all_{
      *google::protobuf::DescriptorPool::generated_pool()};
};

// A gRPC step that takes its method from a `.proto` of the suite.
struct ProtoUse {
  // Of the file, and "package.Service/Method".
  std::string path;
  std::string method;
  Place method_at;
  // JSON text of the request, or of a list of them; empty: there is none.
  std::string json;
  Place json_at;
};

// Reports what is wrong with the file, with those that it imports, and with
// what the step takes from it. Requests that hold templates are not looked at.
void CheckProto(const std::map<std::string, std::string>& files,
                const ProtoUse& use, Report& report);

}  // namespace assay::suite

#endif  // ASSAY_RUNNER_SUITE_PROTO_FILES_H_
