#include "services/telemetry/otlp_sender.h"

#include <curl/curl.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <future>
#include <iterator>
#include <mutex>
#include <utility>

namespace assay::telemetry {
namespace {

constexpr const char* kExportMethod =
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

std::size_t Ignore(char*, std::size_t, std::size_t size, void*) { return size; }

int MayGoOn(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(stop)->load() ? 1 : 0;
}

// As OTLP says which answers are for now only.
bool MayPass(long status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

class HttpSender final : public OtlpSender {
 public:
  HttpSender(const OtlpSettings& settings, const std::atomic<bool>& stop)
      : settings_(settings), stop_(stop) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    curl_ = curl_easy_init();
    fields_ =
        curl_slist_append(fields_, "Content-Type: application/x-protobuf");
    fields_ = curl_slist_append(fields_, "Expect:");
    for (const auto& [name, value] : settings.headers) {
      std::string field = name;
      field.append(": ").append(value);
      fields_ = curl_slist_append(fields_, field.c_str());
    }
  }
  ~HttpSender() override {
    curl_slist_free_all(fields_);
    curl_easy_cleanup(curl_);
  }

  Status Send(const std::string& body) override {
    curl_easy_reset(curl_);
    curl_easy_setopt(curl_, CURLOPT_URL, settings_.target.c_str());
    curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl_, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
    curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, fields_);
    if (!settings_.ca_file.empty())
      curl_easy_setopt(curl_, CURLOPT_CAINFO, settings_.ca_file.c_str());
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, Ignore);
    curl_easy_setopt(curl_, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl_, CURLOPT_XFERINFOFUNCTION, MayGoOn);
    curl_easy_setopt(curl_, CURLOPT_XFERINFODATA, &stop_);
    curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS,
                     static_cast<long>(settings_.timeout.count()));
    const CURLcode code = curl_easy_perform(curl_);
    if (code != CURLE_OK) return Unavailable(curl_easy_strerror(code));
    long status = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) return {};
    if (MayPass(status)) return Unavailable("it answered ", status);
    return FailedPrecondition("it answered ", status);
  }

 private:
  const OtlpSettings& settings_;
  const std::atomic<bool>& stop_;
  CURL* curl_ = nullptr;
  curl_slist* fields_ = nullptr;
};

std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class GrpcSender final : public OtlpSender {
 public:
  GrpcSender(const OtlpSettings& settings, const std::atomic<bool>& stop)
      : settings_(settings), stop_(stop), stub_(MakeChannel(settings)) {}

  Status Send(const std::string& body) override {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + settings_.timeout);
    for (const auto& [given, value] : settings_.headers) {
      std::string name = given;
      std::ranges::transform(name, name.begin(),
                             [](unsigned char c) { return std::tolower(c); });
      context.AddMetadata(name, value);
    }
    const grpc::Slice slice(body);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    std::promise<grpc::Status> promise;
    auto answer = promise.get_future();
    stub_.UnaryCall(&context, kExportMethod, grpc::StubOptions(), &request,
                    &response, [&promise](grpc::Status status) {
                      promise.set_value(std::move(status));
                    });
    constexpr std::chrono::milliseconds kLook{100};
    while (answer.wait_for(kLook) != std::future_status::ready)
      if (stop_) context.TryCancel();
    const grpc::Status status = answer.get();
    if (status.ok()) return {};
    if (MayPass(status.error_code()))
      return Unavailable(status.error_message());
    return FailedPrecondition("it answered ", status.error_code(), ": ",
                              status.error_message());
  }

 private:
  static std::shared_ptr<grpc::Channel> MakeChannel(
      const OtlpSettings& settings) {
    grpc::SslCredentialsOptions options;
    if (!settings.ca_file.empty())
      options.pem_root_certs = ReadWhole(settings.ca_file);
    return grpc::CreateChannel(
        settings.target, settings.tls ? grpc::SslCredentials(options)
                                      : grpc::InsecureChannelCredentials());
  }
  static bool MayPass(grpc::StatusCode code) {
    switch (code) {
      case grpc::StatusCode::UNAVAILABLE:
      case grpc::StatusCode::DEADLINE_EXCEEDED:
      case grpc::StatusCode::CANCELLED:
      case grpc::StatusCode::ABORTED:
      case grpc::StatusCode::OUT_OF_RANGE:
      case grpc::StatusCode::DATA_LOSS:
        return true;
      default:
        return false;
    }
  }

  const OtlpSettings& settings_;
  const std::atomic<bool>& stop_;
  grpc::GenericStub stub_;
};

}  // namespace

std::unique_ptr<OtlpSender> MakeOtlpSender(const OtlpSettings& settings,
                                           const std::atomic<bool>& stop) {
  if (settings.protocol == OtlpSettings::Protocol::kGrpc)
    return std::make_unique<GrpcSender>(settings, stop);
  return std::make_unique<HttpSender>(settings, stop);
}

}  // namespace assay::telemetry
