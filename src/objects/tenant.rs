//! What a tenant is, besides its key: made like a section, so that making one is checked like any save.

use super::ruled_text::ruled_text;
use crate::domain::{Code, DigitCount, Digits, Pattern, Problem, TenantCode, TimeZone};
use crate::form::{AreaCode, Expression, Trial, section};

section! {
    "tenant", "TenantInput";
    /// A tenant: a customer with a numbering plan of its own.
    pub struct TenantSettings {
        /// How people and configuration name the tenant: 2 to 32 capital letters, digits or `_`, unique.
        pub code: TenantCode,
        /// The tenant's name: 1 to 80 characters.
        pub name: TenantName,
        /// The time zone of the tenant's conditions, from the IANA database.
        pub timezone: TimeZone,
        /// Whether recordings can be transcribed.
        pub transcription: bool,
        /// Whether transcripts can be summarised and assessed.
        pub ai: bool,
        /// The digits put in front of short dialled numbers, at most 8.
        pub area_code: Digits<8>,
        /// The least length of a number that gets the area code: 0 to 20 digits.
        pub area_code_min_digits: DigitCount,
        /// The greatest length of a number that gets the area code: 0 to 20 digits.
        pub area_code_max_digits: DigitCount,
        /// The expression that a number must match to get the area code; null is every number.
        pub area_code_regex: Option<Pattern>,
    }
}

ruled_text!(
    /// The name of a tenant.
    TenantName<80>, "must have 1 to 80 characters", |text| !text.is_empty()
);

impl TenantSettings {
    /// What is put in front of short dialled numbers.
    pub fn prefixing(&self) -> AreaCode {
        AreaCode {
            digits: self.area_code.as_str().to_owned(),
            lengths: (self.area_code_min_digits.get(), self.area_code_max_digits.get()),
            pattern: self.area_code_regex.clone(),
        }
    }

    /// The expression that can be tried on the tenant's numbers, if there is one.
    pub fn expression(&self) -> Option<Expression<'_>> {
        let pattern = self.area_code_regex.as_ref().filter(|_| !self.area_code.as_str().is_empty())?;
        Some(Expression::new(pattern, Trial::Short(self.prefixing()), &["areaCodeRegex"]))
    }

    /// Reports the rules that one field alone cannot answer.
    pub fn check(&self, report: &mut dyn FnMut(Problem)) {
        if self.area_code_min_digits > self.area_code_max_digits {
            let rule = format!("must not be greater than areaCodeMaxDigits, {}", self.area_code_max_digits.get());
            let problem = Problem::new(Code::OutOfRange, rule).value(self.area_code_min_digits.get());
            report(problem.under("areaCodeMinDigits"));
        }
    }
}
