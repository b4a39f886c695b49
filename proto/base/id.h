#ifndef ASSAY_PROTO_BASE_ID_H_
#define ASSAY_PROTO_BASE_ID_H_

#include <compare>
#include <cstddef>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>

namespace assay {

// `size` characters of [0-9a-z], five bits of the kernel's randomness each.
// 26 characters carry 130 bits: unguessable, safe in paths, refs and URLs.
std::string RandomToken(std::size_t size = 26);

// A random id that says what it names: "run_8f3k...". Tag::kPrefix is "run".
// Ids are opaque; nothing parses them but the prefix.
template <class Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string value) : value_(std::move(value)) {}

  static Id Random() {
    return Id(std::string(Tag::kPrefix) + "_" + RandomToken(20));
  }

  const std::string& str() const { return value_; }
  bool empty() const { return value_.empty(); }

  auto operator<=>(const Id&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Id& id) {
    return out << id.value_;
  }

 private:
  std::string value_;
};

#define ASSAY_DEFINE_ID(name, prefix)                   \
  struct name##Tag {                                    \
    static constexpr std::string_view kPrefix = prefix; \
  };                                                    \
  using name = Id<name##Tag>

ASSAY_DEFINE_ID(AssignmentId, "asg");
ASSAY_DEFINE_ID(InvitationId, "inv");
ASSAY_DEFINE_ID(AttemptId, "att");
ASSAY_DEFINE_ID(RepositoryId, "rep");
ASSAY_DEFINE_ID(PushId, "psh");
ASSAY_DEFINE_ID(SubmissionId, "sub");
ASSAY_DEFINE_ID(RunId, "run");
ASSAY_DEFINE_ID(WorkerId, "wrk");
ASSAY_DEFINE_ID(TokenId, "tok");
ASSAY_DEFINE_ID(QuestionId, "qst");
ASSAY_DEFINE_ID(NotificationId, "ntf");

}  // namespace assay

template <class Tag>
struct std::hash<assay::Id<Tag>> {
  std::size_t operator()(const assay::Id<Tag>& id) const {
    return std::hash<std::string>()(id.str());
  }
};

#endif  // ASSAY_PROTO_BASE_ID_H_
