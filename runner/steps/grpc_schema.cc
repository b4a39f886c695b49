#include "runner/steps/grpc_schema.h"

#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/descriptor_database.h>
#include <google/protobuf/util/json_util.h>

#include <utility>

#include "runner/suite/proto_files.h"

namespace assay::steps {

namespace pb = google::protobuf;

namespace {

// The first complaint, with its place.
class Complaints final : public pb::DescriptorPool::ErrorCollector,
                         public pb::compiler::MultiFileErrorCollector {
 public:
  void AddError(const std::string& file, const std::string& element,
                const pb::Message*, ErrorLocation,
                const std::string& message) override {
    Note(file + ": " + element + ": " + message);
  }
  void AddError(const std::string& file, int line, int column,
                const std::string& message) override {
    Note(file + ":" + std::to_string(line + 1) + ":" +
         std::to_string(column + 1) + ": " + message);
  }
  const std::string& first() const { return first_; }

 private:
  void Note(std::string text) {
    if (first_.empty()) first_ = std::move(text);
  }
  std::string first_;
};

std::string JoinMethods(const pb::ServiceDescriptor& service) {
  std::string names;
  for (int i = 0; i < service.method_count() && i < 20; ++i) {
    names += (i == 0 ? "" : ", ") + service.method(i)->name();
  }
  return names;
}

}  // namespace

class GrpcSchema::Parts {
 public:
  Parts()
      : sources(&files, &known),
        merged(&told, &sources),
        pool(&merged, &complaints) {
    sources.RecordErrorsTo(&complaints);
  }

  Complaints complaints;
  suite::WellKnownProtos known;
  suite::ProtoFiles files;
  pb::compiler::SourceTreeDescriptorDatabase sources;
  // What a service told of itself.
  pb::SimpleDescriptorDatabase told;
  std::set<std::string> names;
  std::set<std::string> imports;
  std::size_t bytes = 0;
  pb::MergedDescriptorDatabase merged;
  pb::DescriptorPool pool;
  pb::DynamicMessageFactory factory;
};

GrpcSchema::GrpcSchema() : parts_(std::make_unique<Parts>()) {}
GrpcSchema::~GrpcSchema() = default;

Status GrpcSchema::ReadProto(const assay::plan::v1::Plan& plan,
                             const std::string& path) {
  parts_->files.Use({plan.files().begin(), plan.files().end()}, path);
  if (parts_->pool.FindFileByName(path) == nullptr) {
    return InvalidArgument("cannot read ", path, ": ",
                           parts_->complaints.first());
  }
  return {};
}

Status GrpcSchema::AddDescriptor(const std::string& bytes) {
  pb::FileDescriptorProto file;
  parts_->bytes += bytes.size();
  if (parts_->bytes > kMostBytes || parts_->names.size() >= kMostFiles) {
    return ResourceExhausted(
        "the service describes itself at too great length");
  }
  if (!file.ParseFromString(bytes) || file.name().empty()) {
    return InvalidArgument("a description of the service is garbled");
  }
  for (const std::string& import : file.dependency()) {
    parts_->imports.insert(import);
  }
  // Files that every program has are taken from this one.
  pb::FileDescriptorProto ours;
  if (parts_->known.FindFileByName(file.name(), &ours)) {
    parts_->names.insert(file.name());
    return {};
  }
  if (parts_->names.insert(file.name()).second && !parts_->told.Add(file)) {
    return InvalidArgument("the descriptions of the service clash");
  }
  return {};
}

std::vector<std::string> GrpcSchema::Missing() const {
  std::vector<std::string> missing;
  for (const std::string& import : parts_->imports) {
    pb::FileDescriptorProto ours;
    if (parts_->names.contains(import)) continue;
    if (parts_->known.FindFileByName(import, &ours)) continue;
    missing.push_back(import);
  }
  return missing;
}

Expected<const pb::MethodDescriptor*> GrpcSchema::Find(
    const std::string& method) {
  const std::size_t slash = method.find('/');
  const std::string name = method.substr(0, slash);
  const auto* service = parts_->pool.FindServiceByName(name);
  if (service == nullptr) {
    return NotFound("there is no service ", name,
                    parts_->complaints.first().empty() ? "" : ": ",
                    parts_->complaints.first());
  }
  const auto* found = service->FindMethodByName(method.substr(slash + 1));
  if (found != nullptr) return found;
  return NotFound(name, " has no method ", method.substr(slash + 1),
                  "; it has ", JoinMethods(*service));
}

Expected<std::string> GrpcSchema::Encode(const pb::Descriptor& type,
                                         const std::string& json) {
  const std::unique_ptr<pb::Message> message(
      parts_->factory.GetPrototype(&type)->New());
  const auto read = pb::util::JsonStringToMessage(json, message.get());
  if (!read.ok()) {
    return InvalidArgument("not a ", type.full_name(), ": ",
                           std::string(read.message()));
  }
  return message->SerializeAsString();
}

Expected<std::string> GrpcSchema::Decode(const pb::Descriptor& type,
                                         const std::string& bytes) {
  const std::unique_ptr<pb::Message> message(
      parts_->factory.GetPrototype(&type)->New());
  if (!message->ParseFromString(bytes)) {
    return InvalidArgument("the answer is no ", type.full_name());
  }
  // A suite may expect a zero, which is otherwise left out.
  pb::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  const auto written = pb::util::MessageToJsonString(*message, &json, options);
  if (!written.ok()) {
    return InvalidArgument("the answer has no JSON form: ",
                           std::string(written.message()));
  }
  return json;
}

}  // namespace assay::steps
