// Pins the wire: every fact that a peer of another version relies on is a line
// of golden/contract.txt. A line that goes away breaks somebody; a new one is
// taken in by `proto_contract_test --update-golden`.

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "assay/v1/access.pb.h"

namespace assay {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::EnumDescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;
using google::protobuf::MethodDescriptorProto;

using Lines = std::set<std::string>;

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string GoldenPath() {
  return Variable("ASSAY_SOURCE_DIR") + "/tests/proto/golden/contract.txt";
}

void AddEnum(const std::string& scope, const EnumDescriptorProto& type,
             Lines& lines) {
  for (const auto& value : type.value())
    lines.insert("enum " + scope + "." + type.name() + " " + value.name() +
                 " = " + std::to_string(value.number()));
}

std::string TypeOf(const FieldDescriptorProto& field) {
  if (!field.type_name().empty()) return field.type_name().substr(1);
  std::string name = FieldDescriptorProto::Type_Name(field.type());
  std::transform(name.begin(), name.end(), name.begin(), ::tolower);
  return name.substr(sizeof("type_") - 1);
}

void AddMessage(const std::string& scope, const DescriptorProto& type,
                Lines& lines) {
  const std::string name = scope + "." + type.name();
  lines.insert("message " + name);
  for (const FieldDescriptorProto& field : type.field()) {
    std::string line = "field " + name + " " + std::to_string(field.number()) +
                       " " + field.name() + " ";
    if (field.label() == FieldDescriptorProto::LABEL_REPEATED)
      line += "repeated ";
    line += TypeOf(field);
    if (field.has_oneof_index())
      line += " oneof " + type.oneof_decl(field.oneof_index()).name();
    lines.insert(line);
  }
  for (const auto& range : type.reserved_range())
    lines.insert("reserved " + name + " " + std::to_string(range.start()));
  for (const DescriptorProto& nested : type.nested_type())
    AddMessage(name, nested, lines);
  for (const EnumDescriptorProto& nested : type.enum_type())
    AddEnum(name, nested, lines);
}

std::string AccessOf(const MethodDescriptorProto& method) {
  if (!method.options().HasExtension(v1::access)) return "nobody";
  const v1::Access& access = method.options().GetExtension(v1::access);
  if (access.anyone()) return "anyone";
  std::vector<std::string> roles;
  for (const int role : access.roles())
    roles.push_back(v1::Role_Name(static_cast<v1::Role>(role)).substr(5));
  std::sort(roles.begin(), roles.end());
  std::string text;
  for (const std::string& role : roles)
    text += (text.empty() ? "" : ",") + role;
  return text;
}

void AddFile(const FileDescriptorProto& file, Lines& lines) {
  for (const DescriptorProto& type : file.message_type())
    AddMessage(file.package(), type, lines);
  for (const EnumDescriptorProto& type : file.enum_type())
    AddEnum(file.package(), type, lines);
  for (const auto& service : file.service())
    for (const MethodDescriptorProto& method : service.method()) {
      const std::string name =
          file.package() + "." + service.name() + "/" + method.name();
      lines.insert("rpc " + name + " " +
                   (method.client_streaming() ? "stream " : "") +
                   method.input_type().substr(1) + " -> " +
                   (method.server_streaming() ? "stream " : "") +
                   method.output_type().substr(1));
      lines.insert("access " + name + " " + AccessOf(method));
    }
}

FileDescriptorSet ReadDescriptors() {
  FileDescriptorSet set;
  std::ifstream file(Variable("ASSAY_DESCRIPTORS"), std::ios::binary);
  EXPECT_TRUE(set.ParseFromIstream(&file))
      << "no descriptors in " << Variable("ASSAY_DESCRIPTORS");
  return set;
}

Lines CurrentLines() {
  Lines lines;
  const FileDescriptorSet set = ReadDescriptors();
  for (const FileDescriptorProto& file : set.file())
    if (file.package().starts_with("assay.")) AddFile(file, lines);
  return lines;
}

Lines GoldenLines() {
  Lines lines;
  std::ifstream file(GoldenPath());
  for (std::string line; std::getline(file, line);) lines.insert(line);
  return lines;
}

std::string Missing(const Lines& wanted, const Lines& found) {
  std::string text;
  for (const std::string& line : wanted)
    if (!found.contains(line)) text += "  " + line + "\n";
  return text;
}

bool UpdateWanted() {
  for (const std::string& argument : testing::internal::GetArgvs())
    if (argument == "--update-golden") return true;
  return false;
}

TEST(ContractTest, NothingThatPeersRelyOnHasGone) {
  const Lines current = CurrentLines();
  if (UpdateWanted()) {
    std::ofstream file(GoldenPath());
    for (const std::string& line : current) file << line << '\n';
    return;
  }
  EXPECT_EQ(Missing(GoldenLines(), current), "")
      << "these were promised and are gone or changed; add instead of change, "
         "and reserve what is removed. Before the first release, "
         "--update-golden accepts it";
}

TEST(ContractTest, WhatIsNewIsWrittenDown) {
  EXPECT_EQ(Missing(CurrentLines(), GoldenLines()), "")
      << "new on the wire; run " << testing::internal::GetArgvs()[0]
      << " --update-golden and commit the golden";
}

// The matrix of roles and methods: a method without its option would be
// refused to everybody.
TEST(ContractTest, EveryMethodSaysWhoMayCallIt) {
  int methods = 0;
  const FileDescriptorSet set = ReadDescriptors();
  for (const FileDescriptorProto& file : set.file())
    for (const auto& service : file.service())
      for (const MethodDescriptorProto& method : service.method()) {
        ++methods;
        EXPECT_TRUE(method.options().HasExtension(v1::access))
            << service.name() << "/" << method.name();
        const v1::Access& access = method.options().GetExtension(v1::access);
        EXPECT_NE(access.anyone(), access.roles_size() > 0)
            << service.name() << "/" << method.name()
            << " needs roles, or anyone, and not both";
        for (const int role : access.roles())
          EXPECT_NE(role, v1::ROLE_UNSPECIFIED) << method.name();
        for (const v1::Role program : {v1::ROLE_WORKER, v1::ROLE_NODE}) {
          const bool named = std::count(access.roles().begin(),
                                        access.roles().end(), program) > 0;
          EXPECT_TRUE(!named || access.roles_size() == 1)
              << method.name() << ": what programs call is for nobody else";
        }
      }
  EXPECT_GE(methods, 20);
}

// One request and one response of its own for each method, named after it.
TEST(ContractTest, MessagesBelongToTheirMethods) {
  const FileDescriptorSet set = ReadDescriptors();
  for (const FileDescriptorProto& file : set.file())
    for (const auto& service : file.service())
      for (const MethodDescriptorProto& method : service.method()) {
        EXPECT_THAT(method.input_type(),
                    testing::EndsWith("." + method.name() + "Request"));
        EXPECT_THAT(method.output_type(),
                    testing::EndsWith("." + method.name() + "Response"));
      }
}

TEST(ContractTest, EnumsBeginWithUnspecified) {
  const std::function<void(const EnumDescriptorProto&)> check =
      [](const EnumDescriptorProto& type) {
        EXPECT_EQ(type.value(0).number(), 0) << type.name();
        EXPECT_THAT(type.value(0).name(),
                    testing::AnyOf(testing::EndsWith("_UNSPECIFIED"),
                                   testing::EndsWith("_UNSET")))
            << type.name();
      };
  const std::function<void(const DescriptorProto&)> walk =
      [&](const DescriptorProto& type) {
        for (const auto& nested : type.enum_type()) check(nested);
        for (const auto& nested : type.nested_type()) walk(nested);
      };
  const FileDescriptorSet set = ReadDescriptors();
  for (const FileDescriptorProto& file : set.file()) {
    if (!file.package().starts_with("assay.")) continue;
    for (const auto& type : file.enum_type()) check(type);
    for (const auto& type : file.message_type()) walk(type);
  }
}

}  // namespace
}  // namespace assay
