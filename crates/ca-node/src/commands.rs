//! One file a command.

mod ca;
mod certificates;
mod crl;
mod dev;
mod enrolment;
mod grant;
mod log;
mod member;
mod ocsp;
mod profile;
mod search;
mod serving;
mod status;

use std::process::ExitCode;

use crate::cli::{Ca, Cert, Cli, Command, Crl, Enrolment, Grant, Init, Log, Member, Ocsp, Profile};
use crate::failure::Failure;
use crate::output::{data, talk};

/// Does what the command line says.
pub(crate) async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let Cli { command, connection, output } = cli;
    let done = match command {
        Command::Dev(dev) => dev::run(dev).await,
        Command::Server(server) => serving::server(server).await,
        Command::Init { what: Init::Cluster(init) } => serving::init_cluster(*init).await,
        Command::Join(join) => serving::join(join).await,
        Command::Member { what: Member::Token } => member::token(&connection).await,
        Command::Status { wait, watch } => {
            return status::run(&connection, output, status::Looks::wanted(wait, watch)).await;
        }
        Command::Issue(issue) => certificates::issue(&connection, output, issue).await,
        Command::Revoke(revoke) => certificates::revoke(&connection, revoke).await,
        Command::Release(release) => certificates::release(&connection, release).await,
        Command::Cert { what: Cert::Show { serial, ca } } => {
            certificates::show(&connection, output, &serial, &ca).await
        }
        Command::Cert { what: Cert::List { filter } } => search::list(&connection, output, &filter).await,
        Command::Cert { what: Cert::Count { filter } } => search::count(&connection, &filter).await,
        Command::Cert { what: Cert::Export { filter } } => search::export(&connection, &filter).await,
        Command::Crl { what } => match what {
            Crl::List { ca } => crl::list(&connection, output, ca.as_deref()).await,
            Crl::Now { ca } => crl::now(&connection, output, &ca).await,
            Crl::Get { list } => crl::get(&connection, &list).await,
            Crl::Verify { ca } => crl::verify(&connection, ca.as_deref()).await,
        },
        Command::Ocsp { what: Ocsp::Ask { serial, ca, all_nodes } } => {
            ocsp::ask(&connection, &serial, &ca, all_nodes).await
        }
        Command::Ca { what } => match what {
            Ca::List => ca::list(&connection, output).await,
            Ca::Show { name } => ca::show(&connection, output, &name).await,
            Ca::Chain { name, alternative } => ca::chain(&connection, &name, alternative).await,
            Ca::Create(create) => ca::create(&connection, create).await,
            Ca::Renew { name, life } => ca::renew(&connection, &name, life.as_deref()).await,
            Ca::CrossSign(cross) => ca::cross_sign(&connection, cross).await,
            Ca::Csr { name } => ca::csr(&connection, &name).await,
            Ca::Import { name, file } => ca::import(&connection, &name, &file).await,
            Ca::Retire { name, dry_run } => ca::retire(&connection, &name, dry_run).await,
        },
        Command::Profile { what } => match what {
            Profile::List => profile::list(&connection, output).await,
            Profile::Show { name } => profile::show(&connection, output, &name).await,
            Profile::Lint { file } => profile::lint(&connection, &file).await,
            Profile::Diff { file } => profile::diff(&connection, &file).await,
            Profile::Apply { file, if_version } => profile::apply(&connection, &file, if_version).await,
        },
        Command::Grant { what } => match what {
            Grant::List => grant::list(&connection, output).await,
            Grant::Set(set) => grant::set(&connection, set).await,
            Grant::Remove { caller } => grant::remove(&connection, &caller).await,
        },
        Command::Enrolment { what } => match what {
            Enrolment::Mint(mint) => enrolment::mint(&connection, output, mint).await,
            Enrolment::List => enrolment::list(&connection, output).await,
            Enrolment::Revoke { id } => enrolment::revoke(&connection, &id).await,
        },
        Command::Log { what } => match what {
            Log::Head => log::head(&connection, output).await,
            Log::List { filter, from } => log::list(&connection, output, &filter, from).await,
            Log::Entry { index } => log::entry(&connection, output, index).await,
            Log::Tail { filter, lines, follow } => {
                log::tail(&connection, output, &filter, lines, follow).await
            }
        },
        Command::Whoami => grant::whoami(&connection, output).await,
        Command::Explain { slug } => explain(slug.as_deref()),
    };
    done.map(|()| ExitCode::SUCCESS)
}

fn explain(slug: Option<&str>) -> Result<(), Failure> {
    let Some(slug) = slug else {
        for known in ca_http::explain::explanations() {
            data(&format!("{}\t{}", known.slug, known.title));
        }
        return Ok(());
    };
    let Some(found) = ca_http::explain::explain(slug) else {
        return Err(Failure::new("not-found", format!("no error has the slug `{slug}`"))
            .next("ca-node explain lists them all"));
    };
    talk(&format!("{slug}: {}", found.title));
    data(found.meaning);
    data(&format!("next: {}", found.next));
    Ok(())
}
