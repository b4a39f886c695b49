#include "services/cli/suite_source.h"

#include <google/protobuf/util/json_util.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "services/cli/file_tree.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kPackVersion = 1;

// Where it is: "suite", "suite/assay.yaml" and "assay.yaml" name the same.
std::string FolderOf(const std::string& path) {
  if (fs::path(path).filename() != suite::kSuiteFile) return path;
  const std::string folder = fs::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

}  // namespace

Expected<std::string> ReadWholeFile(const std::string& path) {
  std::error_code failed;
  const auto size = fs::file_size(path, failed);
  if (!failed && size > kMostBytes) {
    return InvalidArgument(path, " is larger than ", kMostBytes >> 20, " MiB");
  }
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  content << in.rdbuf();
  if (!in) {
    return InvalidArgument(
        path, " cannot be read: ",
        std::error_code(errno, std::generic_category()).message());
  }
  return std::move(content).str();
}

Expected<Compilation> CompileFolder(const std::string& path) {
  const std::string folder = FolderOf(path);
  ASSAY_ASSIGN_OR_RETURN(const v1::FileTree tree, ReadTree(folder));
  suite::Files files;
  std::set<std::string> programs;
  for (const auto& file : tree.files()) {
    files[file.path()] = file.content();
    if (file.mode() == kProgramMode) programs.insert(file.path());
  }
  Compilation compiled = suite::Compile(files, programs);
  auto& found = compiled ? compiled->warnings : compiled.error();
  for (suite::Diagnostic& diagnostic : found) {
    diagnostic.file =
        (fs::path(folder) / diagnostic.file).lexically_normal().string();
  }
  return compiled;
}

Expected<plan::v1::Plan> LoadPlan(const std::string& path) {
  if (!fs::exists(path)) {
    return InvalidArgument(path, " is not there; expected a folder with an ",
                           suite::kSuiteFile,
                           ", or a file that `assay suite pack` wrote");
  }
  if (fs::is_directory(FolderOf(path))) {
    ASSAY_ASSIGN_OR_RETURN(Compilation compiled, CompileFolder(path));
    if (compiled) return std::move(compiled->plan);
    std::string text = suite::ToText(compiled.error());
    while (text.ends_with('\n')) text.pop_back();
    return InvalidArgument(text);
  }
  ASSAY_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path));
  auto plan = UnpackPlan(text);
  if (!plan) return InvalidArgument(path, ": ", plan.error().message);
  return plan;
}

std::string PackPlan(const plan::v1::Plan& plan) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  // Fails for messages that hold `Any`; a plan has none.
  (void)google::protobuf::util::MessageToJsonString(plan, &json, options);
  nlohmann::ordered_json pack;
  pack["assay_pack"] = kPackVersion;
  pack["plan"] = nlohmann::ordered_json::parse(json);
  return pack.dump(1) + "\n";
}

Expected<plan::v1::Plan> UnpackPlan(std::string_view text) {
  const auto pack = nlohmann::json::parse(text, nullptr, false);
  if (!pack.is_object() || !pack.contains("assay_pack")) {
    return InvalidArgument(
        "expected a folder with an assay.yaml, or a file that `assay suite "
        "pack` wrote");
  }
  if (pack["assay_pack"] != kPackVersion) {
    return InvalidArgument("this pack has version ", pack["assay_pack"].dump(),
                           "; expected ", kPackVersion, ", so that it needs ",
                           "another version of assay");
  }
  plan::v1::Plan plan;
  const auto parsed = google::protobuf::util::JsonStringToMessage(
      pack.value("plan", nlohmann::json::object()).dump(), &plan);
  if (!parsed.ok()) {
    return InvalidArgument("this pack is damaged: ",
                           std::string(parsed.message()));
  }
  if (plan.checks_size() == 0) {
    return InvalidArgument("this pack holds no checks");
  }
  return plan;
}

}  // namespace assay::cli
