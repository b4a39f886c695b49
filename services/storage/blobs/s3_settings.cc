#include "services/storage/blobs/s3_settings.h"

#include <cstdlib>
#include <fstream>
#include <map>
#include <string_view>

namespace assay::storage {
namespace {

constexpr std::string_view kScheme = "s3://";
constexpr int kMostLines = 10'000;

std::string Trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return "";
  return std::string(
      text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1));
}

std::string FirstOf(std::initializer_list<std::string> values) {
  for (const std::string& value : values)
    if (!value.empty()) return value;
  return "";
}

// The names that S3 itself gives out today.
bool IsBucketName(const std::string& name) {
  return name.size() >= 3 && name.size() <= 63 &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") ==
             std::string::npos;
}

// Characters that are signed and sent as they are.
bool IsPlain(const std::string& text, std::string_view also) {
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') ||
                        also.find(c) != std::string_view::npos;
    if (!letter) return false;
  }
  return true;
}

Status CheckEndpoint(const std::string& endpoint) {
  const bool http = endpoint.starts_with("http://");
  const bool https = endpoint.starts_with("https://");
  const std::string host =
      http || https ? endpoint.substr(http ? 7 : 8) : std::string();
  if (host.empty() || !IsPlain(host, ".-:[]_"))
    return InvalidArgument("\"", endpoint,
                           "\" is no S3 endpoint: expected http://HOST:PORT "
                           "or https://HOST, without a path");
  return {};
}

// The wanted section of an INI file, as the AWS tools write them.
Expected<std::map<std::string, std::string>> ReadSection(
    const std::string& path, const std::string& wanted) {
  std::ifstream file(path);
  if (!file)
    return InvalidArgument(
        "there are no S3 credentials: expected AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY in the environment, or the file ",
        path);
  std::map<std::string, std::string> values;
  bool inside = false;
  bool found = false;
  std::string line;
  for (int i = 0; i < kMostLines && std::getline(file, line); ++i) {
    line = Trimmed(line);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    if (line[0] == '[') {
      const auto end = line.find(']');
      inside = end != std::string::npos &&
               Trimmed(line.substr(1, end - 1)) == wanted;
      found = found || inside;
      continue;
    }
    const auto equals = line.find('=');
    if (!inside || equals == std::string::npos) continue;
    values[Trimmed(line.substr(0, equals))] = Trimmed(line.substr(equals + 1));
  }
  if (!found)
    return InvalidArgument(path, " has no section [", wanted,
                           "]: add one, or name another in AWS_PROFILE");
  return values;
}

}  // namespace

std::string ProcessEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string S3Settings::Describe() const {
  return std::string(kScheme) + bucket + (prefix.empty() ? "" : "/") +
         prefix.substr(0, prefix.empty() ? 0 : prefix.size() - 1) + " at " +
         endpoint;
}

Expected<S3Credentials> ReadS3Credentials(const Environment& environment) {
  S3Credentials credentials{.key = environment("AWS_ACCESS_KEY_ID"),
                            .secret = environment("AWS_SECRET_ACCESS_KEY"),
                            .token = environment("AWS_SESSION_TOKEN")};
  if (!credentials.key.empty() && !credentials.secret.empty())
    return credentials;
  if (!credentials.key.empty() || !credentials.secret.empty())
    return InvalidArgument(
        "only one of AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY is set: expected both");
  const std::string home = environment("HOME");
  const std::string path = FirstOf(
      {environment("AWS_SHARED_CREDENTIALS_FILE"), home + "/.aws/credentials"});
  const std::string profile = FirstOf({environment("AWS_PROFILE"), "default"});
  ASSAY_ASSIGN_OR_RETURN(auto values, ReadSection(path, profile));
  credentials = {.key = values["aws_access_key_id"],
                 .secret = values["aws_secret_access_key"],
                 .token = values["aws_session_token"]};
  if (credentials.key.empty() || credentials.secret.empty())
    return InvalidArgument("section [", profile, "] of ", path,
                           " lacks aws_access_key_id or "
                           "aws_secret_access_key");
  return credentials;
}

Expected<S3Settings> ReadS3Settings(const BlobPlace& place,
                                    const Environment& environment) {
  if (!place.location.starts_with(kScheme))
    return InvalidArgument("\"", place.location,
                           "\" is no place for blobs: expected "
                           "s3://BUCKET or s3://BUCKET/PREFIX");
  S3Settings settings;
  std::string rest = place.location.substr(kScheme.size());
  const auto slash = rest.find('/');
  settings.bucket = rest.substr(0, slash);
  if (slash != std::string::npos) settings.prefix = rest.substr(slash + 1);
  while (settings.prefix.ends_with('/')) settings.prefix.pop_back();
  if (!IsBucketName(settings.bucket))
    return InvalidArgument("\"", settings.bucket,
                           "\" is no name of a bucket: expected 3 to 63 of "
                           "a-z, 0-9, '.' and '-'");
  if (!IsPlain(settings.prefix, "-_./") || settings.prefix.starts_with('/') ||
      settings.prefix.find("//") != std::string::npos ||
      settings.prefix.find("..") != std::string::npos)
    return InvalidArgument("the prefix \"", settings.prefix,
                           "\" may have letters, digits, '-', '_', single "
                           "'.' and single '/' only");
  if (!settings.prefix.empty()) settings.prefix += '/';
  settings.region = FirstOf({place.region, environment("AWS_REGION"),
                             environment("AWS_DEFAULT_REGION"), "us-east-1"});
  if (!IsPlain(settings.region, "-"))
    return InvalidArgument("\"", settings.region,
                           "\" is no S3 region: expected one like "
                           "eu-central-1");
  settings.endpoint =
      FirstOf({place.endpoint, environment("AWS_ENDPOINT_URL_S3"),
               environment("AWS_ENDPOINT_URL"),
               "https://s3." + settings.region + ".amazonaws.com"});
  while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
  ASSAY_RETURN_IF_ERROR(CheckEndpoint(settings.endpoint));
  settings.ca_file = environment("AWS_CA_BUNDLE");
  settings.credentials = [environment] {
    return ReadS3Credentials(environment);
  };
  ASSAY_RETURN_IF_ERROR(settings.credentials());
  return settings;
}

}  // namespace assay::storage
