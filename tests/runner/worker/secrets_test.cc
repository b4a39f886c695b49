#include "runner/worker/secrets.h"

#include <gmock/gmock.h>

namespace assay::worker {
namespace {

using plan::v1::Secret;
using ::testing::MatchesRegex;

plan::v1::Plan PlanWith(
    std::initializer_list<std::pair<const char*, Secret::Generator>> secrets) {
  plan::v1::Plan plan;
  for (const auto& [name, generator] : secrets) {
    plan.add_secrets()->set_name(name);
    plan.mutable_secrets()->rbegin()->set_generator(generator);
  }
  return plan;
}

TEST(SecretsTest, EachGeneratorHasItsForm) {
  const auto plan = PlanWith({{"key", Secret::GENERATOR_HEX32},
                              {"password", Secret::GENERATOR_PASSWORD},
                              {"id", Secret::GENERATOR_UUID}});
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto secrets = GenerateSecrets(plan, seed);
    EXPECT_THAT(secrets.at("key"), MatchesRegex("[0-9a-f]+"));
    EXPECT_EQ(secrets.at("key").size(), 64u);
    const std::string& password = secrets.at("password");
    EXPECT_EQ(password.size(), 20u);
    EXPECT_THAT(password, MatchesRegex(".*[a-z].*"));
    EXPECT_THAT(password, MatchesRegex(".*[A-Z].*"));
    EXPECT_THAT(password, MatchesRegex(".*[2-9].*"));
    EXPECT_THAT(secrets.at("id"),
                MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-"
                             "[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  }
}

TEST(SecretsTest, RepeatWithTheSeedAndDifferOtherwise) {
  const auto plan = PlanWith(
      {{"a", Secret::GENERATOR_HEX32}, {"b", Secret::GENERATOR_HEX32}});
  EXPECT_EQ(GenerateSecrets(plan, 1), GenerateSecrets(plan, 1));
  EXPECT_NE(GenerateSecrets(plan, 1).at("a"), GenerateSecrets(plan, 2).at("a"));
  EXPECT_NE(GenerateSecrets(plan, 1).at("a"), GenerateSecrets(plan, 1).at("b"));
}

}  // namespace
}  // namespace assay::worker
