#ifndef ASSAY_RUNNER_TELEMETRY_REDACTOR_H_
#define ASSAY_RUNNER_TELEMETRY_REDACTOR_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay::telemetry {

// Replaces secrets by `[secret:NAME]` wherever their value stands, also where
// it is percent-encoded, JSON-escaped or inside base64.
//
// Threads: confined to the run's thread.
class Redactor {
 public:
  // Values under this length would blacken ordinary text, so they are not
  // redacted.
  static constexpr std::size_t kShortest = 4;

  // Redacts `value` from now on. A secret may have several values (a token
  // that was captured twice).
  void Add(std::string_view name, std::string_view value);

  // Also where a text was cut inside a value and ends in "...".
  std::string Redact(std::string_view text) const;
  bool Mentions(std::string_view text) const;
  // Where `text` first holds a value known under `name`, in any spelling.
  std::optional<std::size_t> FindNamed(std::string_view name,
                                       std::string_view text) const;
  bool empty() const { return patterns_.empty(); }

  // The same for a text that arrives in pieces: what might be the beginning of
  // a secret is held back until the next piece decides.
  class Stream {
   public:
    explicit Stream(const Redactor& redactor) : redactor_(redactor) {}
    // `piece` redacted, as far as it is certain.
    std::string Push(std::string_view piece);
    // What was held back.
    std::string Finish();

   private:
    const Redactor& redactor_;
    std::string held_;
  };

 private:
  struct Pattern {
    std::string bytes;
    std::string name;
    std::string replacement;
  };
  void RedactCut(std::string& text) const;
  void AddPattern(std::string_view name, std::string bytes);
  // Redacts `text` up to where a secret might begin and be cut off, and says
  // where that is.
  std::pair<std::string, std::size_t> RedactPrefix(std::string_view text) const;

  // Longest first, so that a value inside another one does not hide it.
  std::vector<Pattern> patterns_;
};

}  // namespace assay::telemetry

#endif  // ASSAY_RUNNER_TELEMETRY_REDACTOR_H_
