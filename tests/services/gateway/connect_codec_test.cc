#include "services/gateway/connect_codec.h"

#include <gtest/gtest.h>

#include "assay/v1/run_service.pb.h"
#include "tests/testing/matchers.h"

namespace assay::gateway {
namespace {

using testing::FailsWith;
using testing::IsOk;

TEST(ConnectCodecTest, ErrorsAreJsonWithLowerCaseCodes) {
  EXPECT_EQ(ConnectErrorJson({Code::kNotFound, "no run \"x\""}),
            R"({"code":"not_found","message":"no run \"x\""})");
  // What a message quotes may be anything; the JSON stays valid.
  EXPECT_EQ(ConnectErrorJson({Code::kInvalidArgument, "\xFF"}),
            "{\"code\":\"invalid_argument\",\"message\":\"\xEF\xBF\xBD\"}");
}

TEST(ConnectCodecTest, StatusesAreThoseOfTheProtocol) {
  EXPECT_EQ(ConnectHttpStatus(Code::kUnauthenticated), 401);
  EXPECT_EQ(ConnectHttpStatus(Code::kResourceExhausted), 429);
  EXPECT_EQ(ConnectHttpStatus(Code::kFailedPrecondition), 400);
  EXPECT_EQ(ConnectHttpStatus(Code::kAborted), 409);
  EXPECT_EQ(ConnectHttpStatus(Code::kCancelled), 499);
}

TEST(ConnectCodecTest, FramesCarryFlagsAndSize) {
  EXPECT_EQ(ConnectFrame("{}"), std::string("\0\0\0\0\2{}", 7));
  EXPECT_EQ(ConnectEndFrame({}), std::string("\2\0\0\0\2{}", 7));
  const Status failed = NotFound("x");
  EXPECT_EQ(ConnectEndFrame(failed).substr(5),
            R"({"error":{"code":"not_found","message":"x"}})");
}

TEST(ConnectCodecTest, RequestIsExactlyOneFrame) {
  EXPECT_EQ(*ConnectRequestFrame(std::string("\0\0\0\0\2{}", 7)), "{}");
  EXPECT_EQ(*ConnectRequestFrame(std::string("\0\0\0\0\0", 5)), "");
  for (const std::string& body :
       {std::string(), std::string("\0\0\0", 3), std::string("\0\0\0\0\3{}", 7),
        std::string("\0\0\0\0\1{}", 7), std::string("\2\0\0\0\2{}", 7),
        std::string("\0\xFF\xFF\xFF\xFF", 5)})
    EXPECT_THAT(ConnectRequestFrame(body), FailsWith(Code::kInvalidArgument));
  EXPECT_THAT(ConnectRequestFrame(std::string("\1\0\0\0\2{}", 7)),
              FailsWith(Code::kUnimplemented));
}

TEST(ConnectCodecTest, TimeoutIsOneToTenDigits) {
  EXPECT_EQ(*ConnectTimeout(""), std::nullopt);
  EXPECT_EQ(*ConnectTimeout("1500"), std::chrono::milliseconds(1500));
  EXPECT_THAT(ConnectTimeout("9999999999"), IsOk());
  for (const char* bad : {"-1", "1s", "99999999999", " 1", "0x1", "1.5"})
    EXPECT_THAT(ConnectTimeout(bad), FailsWith(Code::kInvalidArgument)) << bad;
}

TEST(ConnectCodecTest, ReadsJsonOfNewerClients) {
  v1::WatchRunRequest request;
  EXPECT_THAT(ParseJson(R"({"name":"runs/a","afterSequence":"12","future":1})",
                        request),
              IsOk());
  EXPECT_EQ(request.after_sequence(), 12);
  EXPECT_THAT(ParseJson("", request), IsOk());
}

TEST(ConnectCodecTest, RefusesWhatProtobufWouldDropOrDrownIn) {
  v1::WatchRunRequest request;
  EXPECT_THAT(ParseJson("{\"name\":\"\xFF\"}", request),
              FailsWith(Code::kInvalidArgument, "UTF-8"));
  EXPECT_THAT(ParseJson("{\"name\":", request),
              FailsWith(Code::kInvalidArgument, "WatchRunRequest"));
  EXPECT_THAT(ParseJson(std::string(1 << 20, '['), request),
              FailsWith(Code::kInvalidArgument));
}

TEST(ConnectCodecTest, PrintsJsonAsBrowsersReadIt) {
  v1::Run run;
  run.set_name("runs/a");
  run.set_epoch(7);
  run.set_state(v1::Run::STATE_QUEUED);
  EXPECT_EQ(*PrintJson(run),
            R"({"name":"runs/a","state":"STATE_QUEUED","epoch":"7"})");
}

}  // namespace
}  // namespace assay::gateway
