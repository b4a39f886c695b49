// Steps that run programs.

#include "runner/suite/builder.h"

namespace assay::suite {

void Builder::Import(const Node& node, std::string& format, std::string& path,
                     std::int32_t& min_cases) {
  const Node* import = Get(node, "import");
  if (import == nullptr || import->kind != Node::Kind::kMap) return;
  for (const char* known : {"junit", "tap", "ctrf", "gotest"}) {
    if (Get(*import, known) == nullptr) continue;
    format = known;
    path = Text(*import, known);
  }
  min_cases = static_cast<std::int32_t>(Integer(*import, "min_cases", 1));
}

void Builder::CommandOf(const Node& node, plan::v1::CommandStep& out) {
  plan::v1::Command& command = *out.mutable_command();
  command.set_run(Text(node, "command"));
  command.set_directory(Text(node, "directory"));
  *command.mutable_position() = At(node.at);
  Env(Get(node, "env"), command);
  out.set_in_repository(Text(node, "in") != "suite");
  for (const Node* file : Several(node, "files")) {
    out.add_files(file->text);
    if (file->text.ends_with("/")) {
      AddFolder(file->text);
    } else {
      AddFile(file->text);
    }
  }
  if (out.in_repository() && out.files_size() > 0) {
    report_.Error(node.Get("files")->at,
                  "files: only a command \"in: suite\" gets files of the "
                  "suite; a candidate could read them here");
  }
  out.set_with_repository(Bool(node, "repository", false));
  if (out.in_repository() && out.with_repository()) {
    report_.Error(node.Get("repository")->at,
                  "repository: a command runs there already unless it says "
                  "\"in: suite\"");
  }
  std::int32_t min_cases = 0;
  Import(node, *out.mutable_import_format(), *out.mutable_import_path(),
         min_cases);
  out.set_min_cases(min_cases);
  const Node* expect = Get(node, "expect");
  if (expect != nullptr && Get(*expect, "exit") != nullptr) {
    *out.mutable_exit_code() = Expect(*Get(*expect, "exit"), Subject::kNumber);
  }
}

void Builder::Mutants(const Node& node, plan::v1::MutantsStep& out) {
  const auto folder = [&](const Node& map, std::string_view key) {
    const std::string path = Text(map, key);
    AddFolder(path);
    return path.empty() || path.ends_with("/") ? path : path + "/";
  };
  if (plan_.services_size() == 0) {
    report_.Error(node.at,
                  "mutants stand in for the service, and the suite has none");
  }
  out.mutable_command()->set_run(Text(node, "run"));
  *out.mutable_command()->mutable_position() = At(node.at);
  Env(Get(node, "env"), *out.mutable_command());
  out.set_reference(folder(node, "reference"));
  const Node* variants = Get(node, "variants");
  if (variants != nullptr) {
    for (const auto& item : variants->items) {
      if (item->kind != Node::Kind::kMap) continue;
      auto& variant = *out.add_variants();
      variant.set_name(Text(*item, "name"));
      variant.set_folder(folder(*item, "folder"));
      *variant.mutable_position() = At(item->at);
    }
  }
  std::int32_t min_cases = 0;
  Import(node, *out.mutable_import_format(), *out.mutable_import_path(),
         min_cases);
  out.set_min_cases(min_cases);
}

}  // namespace assay::suite
