#include "runner/telemetry/redacting_sink.h"

#include <google/protobuf/message.h>

#include <utility>
#include <vector>

#include "runner/suite/utf8.h"

namespace assay::telemetry {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Ids are ours, random, and no text; everything else is redacted, also fields
// that a later version adds.
bool IsId(const FieldDescriptor& field) {
  return field.name() == "trace_id" || field.name() == "span_id" ||
         field.name() == "parent_span_id";
}

// What leaves the run in the place of `text`: no secrets, and UTF-8, without
// which no reader would take the message. Candidates' bytes are in many texts.
std::string Cleaned(const Redactor& redactor, const FieldDescriptor& field,
                    std::string_view text) {
  std::string clean = redactor.Redact(text);
  if (field.type() == FieldDescriptor::TYPE_BYTES) return clean;
  std::string_view rest = clean;
  std::string valid;
  while (!rest.empty()) {
    const std::size_t good = suite::ValidUtf8Prefix(rest);
    if (valid.empty() && good == rest.size()) return clean;
    valid += rest.substr(0, good);
    rest.remove_prefix(good);
    if (rest.empty()) break;
    valid += "\xEF\xBF\xBD";
    rest.remove_prefix(1);
  }
  return valid;
}

void CleanText(const Redactor& redactor, Message& message,
               const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  if (IsId(field)) return;
  std::string scratch;
  if (!field.is_repeated()) {
    const std::string& text =
        reflection.GetStringReference(message, &field, &scratch);
    std::string clean = Cleaned(redactor, field, text);
    if (clean != text) reflection.SetString(&message, &field, std::move(clean));
    return;
  }
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const std::string& text =
        reflection.GetRepeatedStringReference(message, &field, i, &scratch);
    std::string clean = Cleaned(redactor, field, text);
    if (clean != text) {
      reflection.SetRepeatedString(&message, &field, i, std::move(clean));
    }
  }
}

void CleanMessage(const Redactor& redactor, Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      CleanText(redactor, message, *field);
    } else if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      continue;
    } else if (!field->is_repeated()) {
      CleanMessage(redactor, *reflection.MutableMessage(&message, field));
    } else {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        CleanMessage(redactor,
                     *reflection.MutableRepeatedMessage(&message, field, i));
      }
    }
  }
}

}  // namespace

RedactingSink::RedactingSink(const Redactor& redactor, EventSink& next)
    : redactor_(redactor), next_(next) {}

void RedactingSink::Emit(assay::v1::RunEvent event) {
  if (event.has_log()) return EmitLog(std::move(event));
  CleanMessage(redactor_, event);
  next_.Emit(std::move(event));
}

void RedactingSink::EmitLog(assay::v1::RunEvent event) {
  assay::v1::RunEvent::Log& log = *event.mutable_log();
  LogStream& stream = logs_.try_emplace(log.stream(), redactor_).first->second;
  std::string text = stream.pieces.Push(log.content());
  if (log.end()) text += stream.pieces.Finish();
  // Bytes that were held back may come from before: hidden stays hidden.
  const bool hidden = log.hidden();
  log.set_hidden(hidden || stream.hidden);
  stream.hidden = hidden;
  if (text.empty() && !log.end() && !log.truncated()) return;
  log.set_offset(stream.offset);
  stream.offset += static_cast<std::int64_t>(text.size());
  log.set_content(std::move(text));
  next_.Emit(std::move(event));
}

}  // namespace assay::telemetry
