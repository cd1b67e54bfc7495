//! The doors: REST, OCSP, CRL.
