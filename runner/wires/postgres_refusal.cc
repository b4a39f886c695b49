#include "runner/wires/postgres_refusal.h"

namespace assay::wires {
namespace {

std::string Refuse(const std::string& code) {
  const auto field = [](char type, std::string_view text) {
    return std::string(1, type) + std::string(text) + '\0';
  };
  std::string out;
  AppendMessage(out, 'E',
                field('S', "ERROR") + field('V', "ERROR") + field('C', code) +
                    field('M', "injected by the assessment") + '\0');
  return out;
}

std::string Ready(char transaction) {
  std::string out;
  AppendMessage(out, 'Z', std::string(1, transaction == 'I' ? 'I' : 'E'));
  return out;
}

}  // namespace

PostgresRefusal::Answer PostgresRefusal::OnClient(std::string_view bytes,
                                                  const std::string& code,
                                                  char transaction) {
  Answer answer;
  while (!bytes.empty()) {
    MessageCutter::Message message;
    const auto result = cutter_.Next(bytes, message);
    inside_ = result != MessageCutter::Result::kMessage;
    if (inside_) break;
    FieldReader fields(message.payload);
    switch (message.type) {
      case 'Q':
      case 'F':
        answer.back += Refuse(code) + Ready(transaction);
        answer.statements.emplace_back(message.type == 'Q' ? fields.Text()
                                                           : "");
        break;
      case 'P':
      case 'B':
      case 'D':
      case 'E':
      case 'C':
        if (skipping_) break;
        skipping_ = true;
        answer.back += Refuse(code);
        if (message.type == 'P') fields.Text();
        answer.statements.emplace_back(message.type == 'P' ? fields.Text()
                                                           : "");
        break;
      case 'S':
        skipping_ = false;
        answer.back += Ready(transaction);
        break;
      case 'X':
        AppendMessage(answer.on, 'X', "");
        break;
      default:
        break;  // COPY's data, Flush.
    }
  }
  return answer;
}

}  // namespace assay::wires
