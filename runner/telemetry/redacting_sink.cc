#include "runner/telemetry/redacting_sink.h"

#include <google/protobuf/message.h>

#include <utility>
#include <vector>

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

void RedactText(const Redactor& redactor, Message& message,
                const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  if (IsId(field)) return;
  std::string scratch;
  if (!field.is_repeated()) {
    const std::string& text =
        reflection.GetStringReference(message, &field, &scratch);
    if (redactor.Mentions(text)) {
      reflection.SetString(&message, &field, redactor.Redact(text));
    }
    return;
  }
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const std::string& text =
        reflection.GetRepeatedStringReference(message, &field, i, &scratch);
    if (redactor.Mentions(text)) {
      reflection.SetRepeatedString(&message, &field, i, redactor.Redact(text));
    }
  }
}

void RedactMessage(const Redactor& redactor, Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      RedactText(redactor, message, *field);
    } else if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      continue;
    } else if (!field->is_repeated()) {
      RedactMessage(redactor, *reflection.MutableMessage(&message, field));
    } else {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        RedactMessage(redactor,
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
  if (!redactor_.empty()) RedactMessage(redactor_, event);
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
  if (text.empty() && !log.end()) return;
  log.set_offset(stream.offset);
  stream.offset += static_cast<std::int64_t>(text.size());
  log.set_content(std::move(text));
  next_.Emit(std::move(event));
}

}  // namespace assay::telemetry
