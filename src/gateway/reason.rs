//! Why a connection failed, in words.

use std::io;

/// Why a connection failed, and what helps where that is known.
pub(super) fn reason_of(error: &io::Error) -> String {
    let remedy = match tls_error(error) {
        Some(rustls::Error::InvalidCertificate(wrong)) => remedy_of(wrong),
        _ => None,
    };
    match remedy {
        Some(remedy) => format!("{error}; {remedy}"),
        None => error.to_string(),
    }
}

/// The error of the TLS layer inside.
pub(super) fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// What helps against a certificate that is not trusted.
const fn remedy_of(wrong: &rustls::CertificateError) -> Option<&'static str> {
    use rustls::CertificateError as Wrong;
    match wrong {
        Wrong::UnknownIssuer => {
            Some("if you know the authority that signed it, name its certificate in [tls] ca_file")
        }
        Wrong::Expired
        | Wrong::ExpiredContext { .. }
        | Wrong::NotValidYet
        | Wrong::NotValidYetContext { .. } => Some("is the clock of this machine right?"),
        Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => {
            Some("use a name in endpoint that the certificate is for")
        }
        _ => None,
    }
}
