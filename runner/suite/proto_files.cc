#include "runner/suite/proto_files.h"

#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "runner/suite/nearest.h"

namespace assay::suite {

namespace pb = google::protobuf;

namespace {

// More than any real one; protobuf's parser goes down with each level.
constexpr std::size_t kMaxProtoBytes = 1 << 20;
constexpr int kMaxProtoLevels = 64;

// Behind the comment or text that begins at `at`, or `at` itself.
std::size_t SkipUnread(std::string_view text, std::size_t at) {
  const auto behind = [&](std::string_view end, std::size_t from) {
    const std::size_t found = text.find(end, from);
    return found == std::string_view::npos ? text.size() : found + end.size();
  };
  const std::string_view rest = text.substr(at);
  if (rest.starts_with("//")) return behind("\n", at);
  if (rest.starts_with("/*")) return behind("*/", at + 2);
  if (rest[0] != '"' && rest[0] != '\'') return at;
  std::size_t i = at + 1;
  while (i < text.size() && text[i] != rest[0] && text[i] != '\n') {
    i += text[i] == '\\' ? 2 : 1;
  }
  return std::min(i + 1, text.size());
}

bool IsTooDeep(std::string_view text) {
  int level = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t next = SkipUnread(text, i);
    if (next != i) {
      i = next;
      continue;
    }
    if (text[i] == '{' && ++level > kMaxProtoLevels) return true;
    if (text[i] == '}') --level;
    ++i;
  }
  return false;
}

// Protobuf's sentences begin with a capital and end with a full stop.
std::string AsMessage(std::string text) {
  if (text.ends_with('.')) text.pop_back();
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1]))) {
    text[0] = static_cast<char>(std::tolower(text[0]));
  }
  return text;
}

class Mistakes final : public pb::compiler::MultiFileErrorCollector {
 public:
  explicit Mistakes(const ProtoFiles& files) : files_(files) {}

  void AddError(const std::string& file, int line, int column,
                const std::string& message) override {
    // A file that is not there is told where it is imported.
    if (line < 0 && message.find("not found") != std::string::npos) return;
    found_.push_back({files_.PathOf(file), line + 1, column + 1, message});
  }

  // A file with mistakes of its own is not a second one where it is imported.
  void Tell(Report& report) {
    std::set<std::string> bad;
    for (const Found& found : found_) bad.insert(found.file);
    for (const Found& found : found_) {
      if (found.message.starts_with("Import \"")) {
        const std::string name =
            found.message.substr(8, found.message.find('"', 8) - 8);
        if (bad.contains(files_.PathOf(name))) continue;
      }
      report.Error({found.file, found.line, found.line > 0 ? found.column : 0},
                   AsMessage(found.message));
    }
  }

 private:
  struct Found {
    std::string file;
    int line;
    int column;
    std::string message;
  };
  const ProtoFiles& files_;
  std::vector<Found> found_;
};

const pb::MethodDescriptor* FindMethod(const pb::DescriptorPool& pool,
                                       const pb::FileDescriptor& file,
                                       const ProtoUse& use, Report& report) {
  const std::size_t slash = use.method.find('/');
  const std::string name = use.method.substr(0, slash);
  const pb::ServiceDescriptor* service = pool.FindServiceByName(name);
  std::vector<std::string> known;
  if (service == nullptr) {
    for (int i = 0; i < file.service_count(); ++i) {
      known.push_back(file.service(i)->full_name());
    }
  } else if (slash != std::string::npos) {
    const std::string method = use.method.substr(slash + 1);
    if (const auto* found = service->FindMethodByName(method)) return found;
    for (int i = 0; i < service->method_count(); ++i) {
      known.push_back(service->method(i)->name());
    }
  }
  const std::string missing =
      service == nullptr ? name : use.method.substr(slash + 1);
  const std::string hint = DidYouMean(missing, known);
  report.Error(
      use.method_at,
      "grpc: " +
          (service == nullptr ? use.path + " has no service \"" + name + "\""
                              : name + " has no method \"" + missing + "\"") +
          (!hint.empty()   ? hint
           : known.empty() ? ""
                           : "; there is " + JoinNames(known)));
  return nullptr;
}

void CheckRequests(const pb::MethodDescriptor& method, const ProtoUse& use,
                   Report& report) {
  const auto json = nlohmann::json::parse(use.json, nullptr, false);
  if (json.is_discarded() || use.json.find("{{") != std::string::npos) return;
  pb::DynamicMessageFactory factory;
  const auto requests = json.is_array() ? json : nlohmann::json::array({json});
  for (const auto& request : requests) {
    const std::unique_ptr<pb::Message> message(
        factory.GetPrototype(method.input_type())->New());
    const auto read =
        pb::util::JsonStringToMessage(request.dump(), message.get());
    if (read.ok()) continue;
    report.Error(use.json_at, "json: not a " +
                                  method.input_type()->full_name() + ": " +
                                  std::string(read.message()));
    return;
  }
}

}  // namespace

void ProtoFiles::Use(std::map<std::string, std::string> files,
                     const std::string& path) {
  files_ = std::move(files);
  const std::size_t slash = path.rfind('/');
  folder_ = slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

std::string ProtoFiles::PathOf(const std::string& name) const {
  const bool beside = !files_.contains(name) && files_.contains(folder_ + name);
  return beside ? folder_ + name : name;
}

pb::io::ZeroCopyInputStream* ProtoFiles::Open(const std::string& name) {
  const auto it = files_.find(PathOf(name));
  if (it == files_.end()) {
    error_ = "File not found.";
    return nullptr;
  }
  if (it->second.size() > kMaxProtoBytes || IsTooDeep(it->second)) {
    error_ = "The file is too large, or nested too deep.";
    return nullptr;
  }
  return new pb::io::ArrayInputStream(it->second.data(),
                                      static_cast<int>(it->second.size()));
}

bool WellKnownProtos::FindFileByName(const std::string& name,
                                     pb::FileDescriptorProto* file) {
  return name.starts_with("google/protobuf/") &&
         all_.FindFileByName(name, file);
}

bool WellKnownProtos::FindFileContainingSymbol(const std::string& symbol,
                                               pb::FileDescriptorProto* file) {
  return symbol.starts_with("google.protobuf.") &&
         all_.FindFileContainingSymbol(symbol, file);
}

void CheckProto(const std::map<std::string, std::string>& files,
                const ProtoUse& use, Report& report) {
  ProtoFiles tree;
  tree.Use(files, use.path);
  WellKnownProtos known;
  Mistakes mistakes(tree);
  pb::compiler::SourceTreeDescriptorDatabase sources(&tree, &known);
  sources.RecordErrorsTo(&mistakes);
  pb::DescriptorPool pool(&sources, sources.GetValidationErrorCollector());
  const pb::FileDescriptor* file = pool.FindFileByName(use.path);
  mistakes.Tell(report);
  if (file == nullptr) return;
  const auto* method = FindMethod(pool, *file, use, report);
  if (method != nullptr && !use.json.empty()) {
    CheckRequests(*method, use, report);
  }
}

}  // namespace assay::suite
