#include "services/submissions/receipt.h"

#include <fcntl.h>
#include <google/protobuf/util/time_util.h>
#include <sodium.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "proto/base/digest.h"
#include "services/rpc/proto_time.h"
#include "services/submissions/submit.h"

namespace assay::submissions {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kKeyIdSize = 16;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

std::string Time(Clock::TimePoint time) {
  return google::protobuf::util::TimeUtil::ToString(rpc::ToProto(time));
}

// Writes the key beside its place and renames it, so that a crash leaves
// either no key or a whole one.
Status WriteKey(const fs::path& file, const std::string& hex) {
  const fs::path draft = file.string() + ".draft";
  unlink(draft.c_str());
  const int fd =
      open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return SystemError("open " + draft.string(), errno);
  const bool written =
      write(fd, hex.data(), hex.size()) == static_cast<ssize_t>(hex.size()) &&
      fsync(fd) == 0;
  const int error = errno;
  close(fd);
  if (!written) return SystemError("write " + draft.string(), error);
  if (rename(draft.c_str(), file.c_str()) != 0)
    return SystemError("rename " + draft.string(), errno);
  return {};
}

}  // namespace

std::string StatementOf(const storage::SubmissionRecord& submission,
                        const AssignmentId& assignment) {
  // nlohmann's objects are sorted by key, which makes the bytes the same each
  // time.
  nlohmann::json statement = {
      {"submission", ToProto(submission).name()},
      {"commit", submission.commit},
      {"submit_time", Time(submission.submit_time)},
      {"clock_version", submission.clock_version},
      {"assignment", "assignments/" + assignment.str()},
      {"assignment_version", submission.assignment_version},
  };
  if (submission.push_receive_time)
    statement["push_receive_time"] = Time(*submission.push_receive_time);
  return statement.dump();
}

bool VerifyReceipt(const v1::Receipt& receipt, std::string_view public_key) {
  return public_key.size() == crypto_sign_PUBLICKEYBYTES &&
         receipt.signature().size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(
             Bytes(std::string_view(receipt.signature())),
             Bytes(std::string_view(receipt.statement())),
             receipt.statement().size(), Bytes(public_key)) == 0;
}

Expected<ReceiptSigner> ReceiptSigner::Open(const fs::path& file) {
  if (sodium_init() < 0) return Internal("libsodium does not start");
  std::ifstream in(file, std::ios::binary);
  std::string hex{std::istreambuf_iterator<char>(in), {}};
  if (!in.is_open()) {
    std::string seed(crypto_sign_SEEDBYTES, '\0');
    randombytes_buf(seed.data(), seed.size());
    hex = ToHex(seed);
    if (Status written = WriteKey(file, hex); !written)
      return Unavailable(
          "the key that receipts are signed with cannot be "
          "kept: ",
          written.error().message);
  }
  const std::string seed = FromHex(hex);
  if (seed.size() != crypto_sign_SEEDBYTES)
    return DataLoss(file.string(),
                    " holds no key for receipts; restore it "
                    "from a backup, or remove it to make a new one (receipts "
                    "of the old one then need the old public key)");
  return ReceiptSigner(seed);
}

Expected<ReceiptSigner> ReceiptSigner::Replace(const fs::path& file,
                                               const std::string& key) {
  std::error_code ignored;
  fs::remove(file, ignored);
  if (Status written = WriteKey(file, key); !written)
    return Unavailable("the key that receipts are signed with cannot be kept: ",
                       written.error().message);
  return Open(file);
}

ReceiptSigner::ReceiptSigner(std::string_view seed)
    : secret_key_(crypto_sign_SECRETKEYBYTES, '\0'),
      public_key_(crypto_sign_PUBLICKEYBYTES, '\0') {
  crypto_sign_seed_keypair(Bytes(public_key_), Bytes(secret_key_), Bytes(seed));
  key_id_ = Sha256Hex(public_key_).substr(0, kKeyIdSize);
}

v1::Receipt ReceiptSigner::Sign(std::string statement) const {
  v1::Receipt receipt;
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(Bytes(signature), nullptr,
                       Bytes(std::string_view(statement)), statement.size(),
                       Bytes(std::string_view(secret_key_)));
  receipt.set_statement(std::move(statement));
  receipt.set_signature(std::move(signature));
  receipt.set_key_id(key_id_);
  return receipt;
}

}  // namespace assay::submissions
