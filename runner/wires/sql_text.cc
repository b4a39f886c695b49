#include "runner/wires/sql_text.h"

#include <algorithm>
#include <cctype>

namespace assay::wires {
namespace {

enum class Token {
  kEnd,
  kSpace,
  kComment,
  kWord,     // keyword or identifier, quoted or not
  kLiteral,  // string or number
  kParameter,
  kSymbol,
};

bool IsWordStart(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWord(char c) { return IsWordStart(c) || IsDigit(c) || c == '$'; }

// Cuts SQL into tokens; an unfinished quote or comment ends with the text.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Token Next() {
    start_ = at_;
    if (at_ >= text_.size()) return Token::kEnd;
    const char c = text_[at_];
    if (std::isspace(static_cast<unsigned char>(c))) {
      while (std::isspace(static_cast<unsigned char>(Peek()))) ++at_;
      return Token::kSpace;
    }
    if (c == '-' && Peek(1) == '-') return LineComment();
    if (c == '/' && Peek(1) == '*') return BlockComment();
    if (c == '\'') return Quoted('\'', false, Token::kLiteral);
    if (c == '"') return Quoted('"', false, Token::kWord);
    if (c == '$') return Dollar();
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return Number();
    if (IsWordStart(c)) return Word();
    ++at_;
    return Token::kSymbol;
  }

  std::string_view text() const { return text_.substr(start_, at_ - start_); }
  std::size_t start() const { return start_; }

 private:
  char Peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  Token LineComment() {
    at_ = std::min(text_.find('\n', at_), text_.size());
    return Token::kComment;
  }

  Token BlockComment() {
    int depth = 0;
    while (at_ < text_.size()) {
      if (Peek() == '/' && Peek(1) == '*') {
        ++depth;
        at_ += 2;
      } else if (Peek() == '*' && Peek(1) == '/') {
        at_ += 2;
        if (--depth == 0) break;
      } else {
        ++at_;
      }
    }
    at_ = std::min(at_, text_.size());
    return Token::kComment;
  }

  // From the opening quote; a doubled quote is one inside.
  Token Quoted(char quote, bool escapes, Token token) {
    for (++at_; at_ < text_.size(); ++at_) {
      if (escapes && text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == quote) {
        if (Peek(1) != quote) break;
        ++at_;
      }
    }
    at_ = std::min(at_ + 1, text_.size());
    return token;
  }

  // `$1`, or `$tag$ ... $tag$`.
  Token Dollar() {
    std::size_t end = at_ + 1;
    if (IsDigit(Peek(1))) {
      while (end < text_.size() && IsDigit(text_[end])) ++end;
      at_ = end;
      return Token::kParameter;
    }
    while (end < text_.size() && text_[end] != '$' && IsWord(text_[end])) ++end;
    if (end >= text_.size() || text_[end] != '$') {
      ++at_;
      return Token::kSymbol;
    }
    const std::string_view tag = text_.substr(at_, end + 1 - at_);
    const std::size_t close = text_.find(tag, end + 1);
    at_ = close == std::string_view::npos ? text_.size() : close + tag.size();
    return Token::kLiteral;
  }

  Token Number() {
    while (IsWord(Peek()) || Peek() == '.' ||
           ((Peek() == '+' || Peek() == '-') &&
            (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E'))) {
      ++at_;
    }
    return Token::kLiteral;
  }

  Token Word() {
    const std::size_t from = at_;
    while (at_ < text_.size() && IsWord(text_[at_])) ++at_;
    if (Peek() != '\'') return Token::kWord;
    const std::string_view prefix = text_.substr(from, at_ - from);
    if (prefix == "E" || prefix == "e") {
      return Quoted('\'', true, Token::kLiteral);
    }
    const bool quoted =
        prefix.size() == 1 &&
        std::string_view("BbXxNn").find(prefix[0]) != std::string_view::npos;
    return quoted ? Quoted('\'', false, Token::kLiteral) : Token::kWord;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t start_ = 0;
};

std::string Upper(std::string_view word) {
  std::string out(word);
  for (char& c : out) {
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return out;
}

// Finds operation and table while the words go by.
class Summariser {
 public:
  explicit Summariser(SqlText& out) : out_(out) {}

  void Word(std::string_view word, int depth) {
    const std::string upper = Upper(word);
    if (taking_table_) return TakeTable(word, upper);
    if (out_.operation.empty() || (with_ && depth == 0 && IsMain(upper))) {
      with_ = out_.operation.empty() && upper == "WITH";
      out_.operation = upper;
      // UPDATE names its table at once; TABLE and TRUNCATE do too.
      taking_table_ = upper == "UPDATE" || upper == "TRUNCATE";
      return;
    }
    if (!out_.table.empty() || with_ || depth > 0) return;
    taking_table_ = (upper == "FROM" && (out_.operation == "SELECT" ||
                                         out_.operation == "DELETE")) ||
                    (upper == "INTO" && out_.operation == "INSERT") ||
                    (upper == "TABLE" &&
                     (out_.operation == "CREATE" || out_.operation == "ALTER" ||
                      out_.operation == "DROP")) ||
                    (out_.operation == "COPY" && TakeNow(word));
  }

  void Symbol(char symbol) {
    // A dot joins schema and table, anything else ends the name.
    if (symbol == '.' && !out_.table.empty() && just_taken_) {
      out_.table += '.';
      taking_table_ = true;
      return;
    }
    taking_table_ = false;
    just_taken_ = false;
  }

 private:
  static bool IsMain(const std::string& word) {
    return word == "SELECT" || word == "INSERT" || word == "UPDATE" ||
           word == "DELETE" || word == "MERGE";
  }

  bool TakeNow(std::string_view word) {
    TakeTable(word, {});
    return false;
  }

  void TakeTable(std::string_view word, const std::string& upper) {
    if (upper == "ONLY" || upper == "IF" || upper == "NOT" ||
        upper == "EXISTS" || upper == "TABLE" || upper == "LATERAL") {
      return;
    }
    if (word.size() >= 2 && word.front() == '"') {
      word = word.substr(1, word.size() - 2);
    }
    out_.table += word.substr(0, 128);
    taking_table_ = false;
    just_taken_ = true;
  }

  SqlText& out_;
  bool with_ = false;
  bool taking_table_ = false;
  bool just_taken_ = false;
};

std::string_view TraceparentIn(std::string_view comment) {
  constexpr std::string_view kKey = "traceparent='";
  const std::size_t at = comment.find(kKey);
  if (at == std::string_view::npos) return {};
  const std::string_view value = comment.substr(at + kKey.size());
  return value.substr(0, std::min<std::size_t>(value.find('\''), 55));
}

// Writes the normalised text: single spaces, one placeholder for a list of
// placeholders after IN.
class Normaliser {
 public:
  explicit Normaliser(std::string& out) : out_(out) {}

  void Space() { pending_space_ = !out_.empty(); }

  void Put(Token token, std::string_view text) {
    const bool placeholder =
        token == Token::kLiteral || token == Token::kParameter;
    if (in_list_) {
      // "(a, b, c": keep the first, drop what follows up to the parenthesis.
      if (text == "," && list_items_ > 0) return;
      if (placeholder && list_items_++ > 0) {
        pending_space_ = false;
        return;
      }
      if (!placeholder) in_list_ = false;
      if (text == ")") pending_space_ = false;
    } else if (text == "(" && after_in_) {
      in_list_ = true;
      list_items_ = 0;
    }
    after_in_ = token == Token::kWord && Upper(text) == "IN";
    if (pending_space_) out_ += ' ';
    pending_space_ = false;
    out_ += token == Token::kLiteral ? std::string_view("?") : text;
  }

 private:
  std::string& out_;
  bool pending_space_ = false;
  bool after_in_ = false;
  bool in_list_ = false;
  int list_items_ = 0;
};

}  // namespace

SqlText ReadSql(std::string_view statement) {
  SqlText sql;
  Lexer lexer(statement);
  Normaliser normaliser(sql.normalised);
  Summariser summariser(sql);
  int depth = 0;
  for (Token token = lexer.Next(); token != Token::kEnd; token = lexer.Next()) {
    const std::string_view text = lexer.text();
    switch (token) {
      case Token::kComment:
        if (sql.traceparent.empty()) sql.traceparent = TraceparentIn(text);
        [[fallthrough]];
      case Token::kSpace:
        normaliser.Space();
        continue;
      case Token::kLiteral:
        if (sql.literals.size() < SqlText::kLiterals) {
          sql.literals.emplace_back(text.substr(0, SqlText::kLiteral));
        }
        break;
      case Token::kWord:
        summariser.Word(text, depth);
        break;
      case Token::kSymbol:
        if (text == "(") ++depth;
        if (text == ")") --depth;
        summariser.Symbol(text[0]);
        break;
      default:
        break;
    }
    normaliser.Put(token, text);
  }
  while (!sql.normalised.empty() &&
         (sql.normalised.back() == ';' || sql.normalised.back() == ' ')) {
    sql.normalised.pop_back();
  }
  return sql;
}

std::vector<std::string_view> SplitSql(std::string_view query) {
  std::vector<std::string_view> statements;
  Lexer lexer(query);
  std::size_t begin = 0;
  bool has_token = false;
  for (Token token = lexer.Next(); token != Token::kEnd; token = lexer.Next()) {
    if (token == Token::kSymbol && lexer.text() == ";") {
      if (has_token) {
        statements.push_back(query.substr(begin, lexer.start() - begin));
      }
      begin = lexer.start() + 1;
      has_token = false;
    } else if (token != Token::kSpace && token != Token::kComment) {
      has_token = true;
    }
  }
  if (has_token) statements.push_back(query.substr(begin));
  return statements;
}

}  // namespace assay::wires
