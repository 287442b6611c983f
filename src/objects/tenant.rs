//! The settings of a tenant. They are declared like a section, so that creating a tenant is checked like any save.

use super::ruled_text::ruled_text;
use crate::domain::{Code, DigitCount, Digits, Pattern, Problem, TenantCode, TimeZone};
use crate::form::{AreaCode, Expression, Samples, section};

section! {
    "tenant", "TenantInput";
    /// A tenant: a customer with their own numbering plan.
    pub struct TenantSettings {
        /// The code by which people and configuration refer to the tenant: 2 to 32 capital letters, digits or `_`,
        /// beginning with a letter; unique. Required.
        pub code: TenantCode,
        /// The tenant's name: 1 to 80 characters. Required.
        pub name: TenantName,
        /// The IANA time zone of the tenant, such as Europe/Rome. Conditions and voicemail boxes use it unless they
        /// have their own. Required.
        pub timezone: TimeZone,
        /// Whether the tenant has the feature to transcribe recordings and voicemail messages. Off by default.
        pub transcription: bool,
        /// Whether the tenant has the feature to summarise transcripts and assess the mood of calls. Off by default.
        pub ai: bool,
        /// The digits put in front of short dialled numbers, at most 8, none by default.
        pub area_code: Digits<8>,
        /// The shortest dialled number that gets the area code: 0 to 20 digits, 0 by default.
        pub area_code_min_digits: DigitCount,
        /// The longest dialled number that gets the area code: 0 to 20 digits, 0 by default. It must not be less than
        /// `areaCodeMinDigits`.
        pub area_code_max_digits: DigitCount,
        /// The expression that a dialled number must also match to get the area code; null sets no such condition.
        pub area_code_regex: Option<Pattern>,
    }
}

ruled_text!(
    /// The name of a tenant.
    TenantName<80>, "must have 1 to 80 characters", |text| !text.is_empty()
);

impl TenantSettings {
    /// The area code for short dialled numbers.
    pub fn area_code_rule(&self) -> AreaCode {
        AreaCode {
            digits: self.area_code.as_str().to_owned(),
            lengths: (self.area_code_min_digits.get(), self.area_code_max_digits.get()),
            pattern: self.area_code_regex.clone(),
        }
    }

    /// The expression that can be tried on the tenant's numbers, if it has one.
    pub fn expression(&self) -> Option<Expression<'_>> {
        let pattern = self.area_code_regex.as_ref().filter(|_| !self.area_code.as_str().is_empty())?;
        Some(Expression::new(pattern, Samples::Short(self.area_code_rule()), &["areaCodeRegex"]))
    }

    /// Checks the rules that involve several fields.
    pub fn check(&self, report: &mut dyn FnMut(Problem)) {
        if self.area_code_min_digits > self.area_code_max_digits {
            let rule = format!("must not be greater than areaCodeMaxDigits, {}", self.area_code_max_digits.get());
            let problem = Problem::new(Code::OutOfRange, rule).value(self.area_code_min_digits.get());
            report(problem.under("areaCodeMinDigits"));
        }
    }
}
