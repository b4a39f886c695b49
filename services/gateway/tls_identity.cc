#include "services/gateway/tls_identity.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <spdlog/spdlog.h>
#include <sys/inotify.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <fstream>
#include <mutex>
#include <set>
#include <utility>

#include "proto/base/pem.h"
#include "services/gateway/spawn.h"

namespace assay::gateway {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

constexpr std::streamoff kMaxFile = 1 << 20;
// Certificate and key are replaced one after the other.
constexpr std::chrono::milliseconds kSettle{100};

Expected<std::string> ReadPem(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in)
    return InvalidArgument("the file ", file.string(), " cannot be read");
  std::string text(static_cast<std::size_t>(kMaxFile), '\0');
  in.read(text.data(), kMaxFile);
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

Expected<Clock::TimePoint> ExpiryOf(const std::string& text) {
  const pem::Owned<X509> certificate = pem::ReadCertificate(text);
  if (certificate == nullptr)
    return InvalidArgument("no certificate in it: ", pem::WhyNot());
  return pem::TimeOf(X509_get0_notAfter(certificate.get()));
}

// No password is asked on a terminal that nobody looks at.
int NoPassword(char*, int, int, void*) { return -1; }

Expected<std::shared_ptr<asio::ssl::context>> MakeContext(
    const TlsFiles& files, const TlsMaterial& material) {
  auto context =
      std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  SSL_CTX* const raw = context->native_handle();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20");
  // Tickets bring clients back; a cache of ours would grow with them. Idle
  // connections keep no buffers.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_default_passwd_cb(raw, NoPassword);
  boost::system::error_code error;
  context->use_certificate_chain(asio::buffer(material.certificate_pem), error);
  if (error)
    return InvalidArgument(
        "the file ", files.certificate.string(),
        " holds no certificate chain in PEM: ", pem::WhyNot());
  context->use_private_key(asio::buffer(material.key_pem),
                           asio::ssl::context::pem, error);
  if (error || SSL_CTX_check_private_key(raw) != 1)
    return InvalidArgument(
        "the file ", files.key.string(),
        " holds no key in PEM, without a password, of the certificate in ",
        files.certificate.string(), ": ",
        error ? error.message() : pem::WhyNot());
  return context;
}

Expected<std::shared_ptr<const TlsMaterial>> LoadFiles(const TlsFiles& files) {
  auto material = std::make_shared<TlsMaterial>();
  ERR_clear_error();
  ASSAY_ASSIGN_OR_RETURN(material->certificate_pem, ReadPem(files.certificate));
  ASSAY_ASSIGN_OR_RETURN(material->key_pem, ReadPem(files.key));
  const auto expiry = ExpiryOf(material->certificate_pem);
  if (!expiry)
    return std::unexpected(
        expiry.error().Within("the file " + files.certificate.string()));
  material->expiry = *expiry;
  ASSAY_ASSIGN_OR_RETURN(material->context, MakeContext(files, *material));
  return material;
}

}  // namespace

class TlsIdentity::State : public std::enable_shared_from_this<State> {
 public:
  State(asio::any_io_executor strand, TlsFiles files, const Clock& clock)
      : files_(std::move(files)),
        clock_(clock),
        watched_(strand),
        settle_(strand),
        strand_(std::move(strand)) {}

  Status Reload() {
    ASSAY_ASSIGN_OR_RETURN(auto material, LoadFiles(files_));
    if (material->expiry <= clock_.Now())
      spdlog::error(
          "the certificate {} has expired: clients refuse it; put a new one in "
          "its place, which is taken without a restart",
          files_.certificate.string());
    const std::scoped_lock lock(mutex_);
    current_ = std::move(material);
    return {};
  }

  std::shared_ptr<const TlsMaterial> current() const {
    const std::scoped_lock lock(mutex_);
    return current_;
  }

  Status Watch() {
    const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) return SystemError("watch for new certificates", errno);
    watched_.assign(fd);
    // Folders, since files are replaced by renaming, and by changing a link.
    std::set<fs::path> folders;
    for (const fs::path& file : {files_.certificate, files_.key})
      folders.insert(fs::absolute(file).parent_path());
    for (const fs::path& folder : folders)
      if (inotify_add_watch(fd, folder.c_str(),
                            IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE) < 0)
        return SystemError("watch the folder " + folder.string(), errno);
    Spawn(strand_, "certificate watch", Follow(shared_from_this()));
    return {};
  }

  void Stop() {
    boost::system::error_code ignored;
    watched_.close(ignored);
    settle_.cancel();
  }

 private:
  static asio::awaitable<void> Follow(std::shared_ptr<State> self) {
    std::array<char, 4'096> events;
    for (;;) {
      boost::system::error_code error;
      co_await self->watched_.async_read_some(
          asio::buffer(events),
          asio::redirect_error(asio::use_awaitable, error));
      if (error) co_return;
      self->settle_.expires_after(kSettle);
      co_await self->settle_.async_wait(
          asio::redirect_error(asio::use_awaitable, error));
      if (error || !self->watched_.is_open()) co_return;
      self->TakeChange();
    }
  }

  // Other files of the folder change too.
  void TakeChange() {
    const auto before = current();
    const auto now = LoadFiles(files_);
    if (!now) {
      spdlog::warn("the certificate stays as it was: {}", now.error().message);
    } else if ((*now)->certificate_pem != before->certificate_pem ||
               (*now)->key_pem != before->key_pem) {
      if (Reload()) spdlog::info("a new certificate was taken");
    }
  }

  const TlsFiles files_;
  const Clock& clock_;
  asio::posix::stream_descriptor watched_;
  asio::steady_timer settle_;
  const asio::any_io_executor strand_;
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsMaterial> current_;
};

Expected<std::unique_ptr<TlsIdentity>> TlsIdentity::Load(
    asio::any_io_executor strand, TlsFiles files, const Clock& clock) {
  auto state =
      std::make_shared<State>(std::move(strand), std::move(files), clock);
  ASSAY_RETURN_IF_ERROR(state->Reload());
  return std::unique_ptr<TlsIdentity>(new TlsIdentity(std::move(state)));
}

TlsIdentity::TlsIdentity(std::shared_ptr<State> state)
    : state_(std::move(state)) {}
TlsIdentity::~TlsIdentity() { state_->Stop(); }

std::shared_ptr<const TlsMaterial> TlsIdentity::current() const {
  return state_->current();
}
Status TlsIdentity::Reload() { return state_->Reload(); }
Status TlsIdentity::Watch() { return state_->Watch(); }

}  // namespace assay::gateway
