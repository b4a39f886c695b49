#include "runner/suite/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <map>
#include <streambuf>
#include <unordered_map>
#include <unordered_set>

#include "runner/suite/utf8.h"

namespace assay::suite {
namespace {

// Ends the parse; the diagnostic was already added.
struct Stop {};

class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* data = const_cast<char*>(text.data());
    setg(data, data, data + text.size());
  }
};

// Turns the parser's events into a tree. yaml-cpp's own tree keeps duplicate
// keys silently and has no place for each key.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& file, std::string_view text,
              Diagnostics& diagnostics, const YamlRules& rules)
      : file_(file), diagnostics_(diagnostics), rules_(rules) {
    std::size_t start = 0;
    while (start <= text.size()) {
      const std::size_t end = std::min(text.find('\n', start), text.size());
      lines_.push_back(text.substr(start, end - start));
      start = end + 1;
    }
  }

  std::shared_ptr<const Node> root() const { return root_; }

  Place PlaceOf(const YAML::Mark& mark) const {
    if (mark.line < 0) return {file_, 1, 1};
    // yaml-cpp counts bytes.
    int column = mark.column + 1;
    if (static_cast<std::size_t>(mark.line) < lines_.size()) {
      const std::string_view line = lines_[mark.line];
      column = 1 + static_cast<int>(CodePoints(line.substr(
                       0, std::min<std::size_t>(mark.column, line.size()))));
    }
    return {file_, mark.line + 1, column};
  }

  // The first line up to `last`, from 0, that is indented by a tab, from 1; 0:
  // none. The parser stumbles over them further on.
  int TabLine(int last) const {
    for (int i = 0; i <= last && i < static_cast<int>(lines_.size()); ++i) {
      const std::size_t text = lines_[i].find_first_not_of(" \t\r");
      if (text != std::string_view::npos &&
          lines_[i].substr(0, text).find('\t') != std::string_view::npos) {
        return i + 1;
      }
    }
    return 0;
  }

  void Report(const Place& at, std::string message) {
    diagnostics_.push_back({at.file, at.line, at.column, std::move(message)});
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (!root_) return;
    Report(PlaceOf(mark),
           "found a second document; a suite is one YAML document, without "
           "\"---\" lines after the first");
    throw Stop();
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto node = Make(Node::Kind::kNull, mark);
    Remember(anchor, node);
    Add(std::move(node), mark);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto it = anchors_.find(anchor);
    if (it == anchors_.end()) {
      Report(PlaceOf(mark), "this alias stands inside its own anchor");
      throw Stop();
    }
    Add(it->second, mark);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag,
                YAML::anchor_t anchor, const std::string& value) override {
    CheckTag(mark, tag);
    auto node = Make(Node::Kind::kScalar, mark);
    node->text = value;
    node->quoted = tag == "!";
    Remember(anchor, node);
    Add(std::move(node), mark);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    Open(Node::Kind::kList, mark, tag, anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag,
                  YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    Open(Node::Kind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Frame {
    std::shared_ptr<Node> node;
    YAML::anchor_t anchor = 0;
    // Of a map: the key whose value comes next.
    bool has_key = false;
    Node::Entry entry;
    bool skip_value = false;
    std::unordered_map<std::string, int> lines;
  };

  std::shared_ptr<Node> Make(Node::Kind kind, const YAML::Mark& mark) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->at = PlaceOf(mark);
    return node;
  }

  void Remember(YAML::anchor_t anchor, std::shared_ptr<const Node> node) {
    if (anchor != 0) anchors_[anchor] = std::move(node);
  }

  void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    Report(PlaceOf(mark), "found the tag \"" + tag +
                              "\"; suites use no YAML tags: quote a value that "
                              "should be a string");
  }

  void Open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    CheckTag(mark, tag);
    if (stack_.size() >= kMaxYamlDepth) {
      Report(PlaceOf(mark), "nested more than " +
                                std::to_string(kMaxYamlDepth) + " levels deep");
      throw Stop();
    }
    Frame frame;
    frame.node = Make(kind, mark);
    frame.anchor = anchor;
    stack_.push_back(std::move(frame));
  }

  void Close() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    Remember(frame.anchor, frame.node);
    const Place at = frame.node->at;
    AddAt(std::move(frame.node), at);
  }

  void Add(std::shared_ptr<const Node> node, const YAML::Mark& mark) {
    AddAt(std::move(node), PlaceOf(mark));
  }

  void AddAt(std::shared_ptr<const Node> node, const Place& at) {
    if (node->weight > kMaxYamlNodes) TooLarge(at);
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    if (frame.node->kind == Node::Kind::kMap && !frame.has_key) {
      TakeKey(frame, *node, at);
      return;
    }
    Node& parent = *frame.node;
    parent.weight += node->weight;
    parent.depth = std::max(parent.depth, node->depth + 1);
    if (parent.weight > kMaxYamlNodes) TooLarge(at);
    if (parent.depth + stack_.size() > kMaxYamlDepth + 1) {
      Report(at, "aliases nest more than " + std::to_string(kMaxYamlDepth) +
                     " levels deep");
      throw Stop();
    }
    if (parent.kind == Node::Kind::kList) {
      parent.items.push_back(std::move(node));
      return;
    }
    frame.has_key = false;
    if (frame.skip_value) return;
    frame.entry.value = std::move(node);
    parent.entries.push_back(std::move(frame.entry));
  }

  [[noreturn]] void TooLarge(const Place& at) {
    Report(at, "holds more than " + std::to_string(kMaxYamlNodes) +
                   " values once its aliases are expanded");
    throw Stop();
  }

  void TakeKey(Frame& frame, const Node& key, const Place& at) {
    frame.has_key = true;
    frame.skip_value = true;
    frame.entry = {};
    if (key.kind == Node::Kind::kMap || key.kind == Node::Kind::kList) {
      Report(at, key.kind == Node::Kind::kMap
                     ? "found a mapping as a key; a value that is a template "
                       "needs quotes: \"{{name}}\""
                     : "found a list as a key; keys are text");
      return;
    }
    const std::string text = key.kind == Node::Kind::kNull ? "" : key.text;
    if (!CheckKey(key, text, at)) return;
    const auto [it, fresh] = frame.lines.emplace(text, at.line);
    if (!fresh) {
      Report(at, "duplicate key \"" + text + "\"; the first is in line " +
                     std::to_string(it->second));
      return;
    }
    frame.skip_value = false;
    frame.entry.key = text;
    frame.entry.key_at = at;
    frame.entry.key_quoted = key.quoted;
  }

  bool CheckKey(const Node& key, const std::string& text, const Place& at) {
    static const std::unordered_set<std::string> kBooleans = {
        "y",  "Y",  "yes", "Yes", "YES", "n",   "N",   "no",
        "No", "NO", "on",  "On",  "ON",  "off", "Off", "OFF",
    };
    if (key.quoted || rules_.any_key) return true;
    if (key.kind == Node::Kind::kNull) {
      Report(at, "found a null key; keys are text");
      return false;
    }
    if (kBooleans.contains(text)) {
      Report(at, "the key " + text +
                     " is a boolean to YAML 1.1 readers; write \"" + text +
                     "\" with quotes");
      return false;
    }
    if (text == "<<") {
      Report(at,
             "merge keys (<<) are not part of the language; use a flow, "
             "or an alias for the whole value");
      return false;
    }
    return true;
  }

  const std::string file_;
  Diagnostics& diagnostics_;
  const YamlRules& rules_;
  std::vector<std::string_view> lines_;
  std::vector<Frame> stack_;
  std::unordered_map<YAML::anchor_t, std::shared_ptr<const Node>> anchors_;
  std::shared_ptr<const Node> root_;
};

bool CheckBytes(const std::string& file, std::string_view text,
                std::size_t max_bytes, Diagnostics& diagnostics) {
  if (text.size() > max_bytes) {
    diagnostics.push_back({file, 0, 0,
                           "has " + std::to_string(text.size()) +
                               " bytes, a suite file at most " +
                               std::to_string(max_bytes)});
    return false;
  }
  const std::size_t valid = ValidUtf8Prefix(text);
  const std::size_t nul = text.find('\0');
  const std::size_t bad = std::min(valid, nul);
  if (bad >= text.size()) return true;
  const std::size_t line_start =
      bad == 0 ? 0 : text.rfind('\n', bad - 1) + 1;  // npos + 1 is 0
  const int line = 1 + static_cast<int>(std::count(
                           text.begin(), text.begin() + line_start, '\n'));
  const int column =
      1 +
      static_cast<int>(CodePoints(text.substr(line_start, bad - line_start)));
  diagnostics.push_back({file, line, column,
                         bad == nul ? "found a NUL byte; a suite is text"
                                    : "found bytes that are not UTF-8"});
  return false;
}

// The parser's own words for the mistakes that people make.
std::string Explain(const std::string& message) {
  static const std::map<std::string, std::string> kBetter = {
      {"end of map not found",
       "the mapping ends unexpectedly here; check the indentation, and quote "
       "values that hold \": \" or start with one of { [ & * ! | > % @ `"},
      {"end of map flow not found", "found no } for the { before"},
      {"end of sequence flow not found", "found no ] for the [ before"},
      {"end of sequence not found",
       "the list ends unexpectedly here; check the indentation"},
      {"illegal map value",
       "found \": \" inside a value; quote the value, or check the "
       "indentation"},
      {"illegal EOF in scalar", "the file ends inside a quoted text"},
      {"illegal block entry",
       "found \"- \" where no list can start; check the indentation"},
  };
  const auto it = kBetter.find(message);
  return it == kBetter.end() ? message : it->second;
}

}  // namespace

const Node::Entry* Node::Find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

const Node* Node::Get(std::string_view key) const {
  const Entry* entry = Find(key);
  return entry == nullptr ? nullptr : entry->value.get();
}

std::shared_ptr<const Node> ParseYaml(const std::string& file,
                                      std::string_view text,
                                      Diagnostics& diagnostics,
                                      const YamlRules& rules) {
  if (!CheckBytes(file, text, rules.max_bytes, diagnostics)) return nullptr;
  ViewBuffer buffer(text);
  std::istream stream(&buffer);
  TreeBuilder builder(file, text, diagnostics, rules);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop&) {
    return nullptr;
  } catch (const YAML::Exception& e) {
    const int tab = builder.TabLine(e.mark.line);
    if (tab > 0) {
      builder.Report({file, tab, 1},
                     "not YAML: found a tab in the indentation; YAML takes "
                     "spaces only");
    } else {
      builder.Report(builder.PlaceOf(e.mark), "not YAML: " + Explain(e.msg));
    }
    return nullptr;
  }
  if (builder.root() == nullptr) {
    diagnostics.push_back({file, 1, 1, "the file is empty"});
  }
  return builder.root();
}

}  // namespace assay::suite
