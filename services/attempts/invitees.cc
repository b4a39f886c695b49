#include "services/attempts/invitees.h"

#include <algorithm>
#include <boost/algorithm/string/join.hpp>
#include <charconv>
#include <map>
#include <utility>

#include "proto/base/utf8.h"
#include "services/attempts/clock.h"
#include "services/attempts/csv.h"

namespace assay::attempts {
namespace {

constexpr std::size_t kMaxText = 200;
constexpr std::size_t kMaxRecords = 10'000;
constexpr std::size_t kMaxCsv = std::size_t{4} << 20;

// By column's name: where it stands.
using Columns = std::map<std::string, std::size_t>;

Expected<Columns> ReadHeader(const CsvRecord& header) {
  Columns columns;
  for (std::size_t i = 0; i < header.fields.size(); ++i) {
    const std::string& name = header.fields[i];
    if (name != "name" && name != "email" && name != "accommodation")
      return InvalidArgument("unknown column \"", name,
                             "\"; expected name, email and, if wanted, "
                             "accommodation");
    if (!columns.emplace(name, i).second)
      return InvalidArgument("column \"", name, "\" occurs twice");
  }
  for (const char* needed : {"name", "email"})
    if (!columns.contains(needed))
      return InvalidArgument("column \"", needed,
                             "\" is missing from the first line");
  return columns;
}

Expected<Invitee> ReadInvitee(const CsvRecord& record, const Columns& columns) {
  if (record.fields.size() != columns.size())
    return InvalidArgument("expected ", columns.size(), " fields, found ",
                           record.fields.size());
  Invitee invitee{.name = record.fields[columns.at("name")],
                  .email = record.fields[columns.at("email")],
                  .line = record.line};
  const auto factor = columns.find("accommodation");
  if (factor != columns.end() && !record.fields[factor->second].empty()) {
    const std::string& text = record.fields[factor->second];
    const auto [end, error] = std::from_chars(
        text.data(), text.data() + text.size(), invitee.accommodation);
    if (error != std::errc() || end != text.data() + text.size())
      return InvalidArgument("accommodation \"", text,
                             "\" is no number; expected one like 1.5");
  }
  ASSAY_RETURN_IF_ERROR(CheckInvitee(invitee));
  return invitee;
}

bool HasControlCharacter(const std::string& text) {
  return std::ranges::any_of(
      text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

}  // namespace

bool IsAddress(const std::string& email) {
  const std::size_t at = email.find('@');
  return at != std::string::npos && at > 0 && at + 1 < email.size() &&
         email.size() <= kMaxText && !HasControlCharacter(email) &&
         email.find_first_of(" <>,;") == std::string::npos;
}

Status CheckInvitee(const Invitee& invitee) {
  std::vector<std::string> problems;
  const auto add = [&](const Status& problem) {
    problems.push_back(problem.error().message);
  };
  if (invitee.name.empty() || invitee.name.size() > kMaxText)
    add(InvalidArgument("candidate_name must be 1 to ", kMaxText,
                        " bytes, found ", invitee.name.size()));
  if (HasControlCharacter(invitee.name))
    add(InvalidArgument("candidate_name must be one line of text, found \"",
                        PresentableLine(invitee.name, kMaxText),
                        "\" with control characters"));
  if (!invitee.email.empty() && !IsAddress(invitee.email))
    add(InvalidArgument("candidate_email \"",
                        PresentableLine(invitee.email, kMaxText),
                        "\" is no mail address; leave it empty if there is "
                        "none"));
  if (!(invitee.accommodation >= kMinAccommodation &&
        invitee.accommodation <= kMaxAccommodation))
    add(InvalidArgument("accommodation must be from ", kMinAccommodation,
                        " to ", kMaxAccommodation, ", found ",
                        invitee.accommodation));
  if (problems.empty()) return {};
  return InvalidArgument(boost::algorithm::join(problems, "; "));
}

InviteeList ReadInvitees(const std::string& csv) {
  InviteeList list;
  if (csv.size() > kMaxCsv) {
    list.problems.push_back({1, "the file may have up to 4 MiB"});
    return list;
  }
  CsvFile file = ParseCsv(csv);
  const std::vector<CsvRecord>& records = file.records;
  for (CsvProblem& problem : file.problems)
    list.problems.push_back({problem.line, std::move(problem.message)});
  // What stands in the first line says how to read the others.
  if (!list.problems.empty() && list.problems.front().line == 1) return list;
  const std::size_t lines = records.size() + list.problems.size();
  if (lines < 2 || lines > kMaxRecords + 1) {
    list.problems.push_back(
        {1,
         "expected a line with the names of the columns, then 1 to 10000 "
         "candidates"});
    return list;
  }
  const auto columns = ReadHeader(records.front());
  if (!columns) {
    list.problems.push_back({1, columns.error().message});
    return list;
  }
  std::map<std::string, std::int32_t> seen;  // address to line
  for (std::size_t i = 1; i < records.size(); ++i) {
    const CsvRecord& record = records[i];
    Expected<Invitee> invitee = ReadInvitee(record, *columns);
    if (!invitee) {
      list.problems.push_back({record.line, invitee.error().message});
      continue;
    }
    const auto [first, added] = seen.emplace(invitee->email, record.line);
    if (!invitee->email.empty() && !added) {
      list.problems.push_back(
          {record.line, invitee->email + " stands in line " +
                            std::to_string(first->second) + " already"});
      continue;
    }
    list.invitees.push_back(*std::move(invitee));
  }
  std::ranges::sort(list.problems, {}, &InviteeProblem::line);
  return list;
}

}  // namespace assay::attempts
