/// The words that the rules on notes go by, folded as ``PlainText/words(_:)`` does.
///
/// Whoever adds a wording that the vendor uses does it here, and brings a line of the table in the tests.
enum NoteWording {
    // MARK: Headings

    /// What a heading of the section on the procedure is made of, once `procedure` is in it: closed, so that "Mise à jour des pbehaviors
    /// en base" and "Mise à jour du serveur de cache Redis" are none.
    private static let procedureHeading = vocabulary(
        "procedure procedures mise mises a jour niveau mettre comment canopsis de d la le l les un une vers en pour et depuis cette version"
            + " standard installation par paquets paquet docker conteneurs rpm debian centos upgrade")
    /// The same without that word: "Mise à jour", "Mise à jour vers Canopsis 3.26.0".
    private static let updateHeading = vocabulary(
        "mise mises a jour niveau mettre comment canopsis de d la le vers en version cette depuis")

    /// Whether a heading is the one of the section on the upgrade procedure.
    static func isProcedureHeading(_ words: [String]) -> Bool {
        let isUpdate = updates.isIn(words)
        let allowed = words.contains { $0.hasPrefix("procedure") } ? procedureHeading : updateHeading
        return isUpdate && words.allSatisfy { allowed.contains($0) || isNumber($0) }
    }

    private static let updates = phrases("mise a jour", "mises a jour", "mettre a jour", "mise a niveau")

    /// Whether a heading is the one of the section on new installations.
    static func isInstallationHeading(_ words: [String]) -> Bool {
        words.contains { $0.hasPrefix("install") } && words.contains { $0.hasPrefix("procedure") }
    }

    /// Beginnings of headings of a list of changes. From 22.10 on they stand below the heading of the procedure, one level deeper.
    ///
    /// "Changement important d'API et mise à jour des règles" is a step and none of these: what follows has to be nothing, or `entre`.
    private static let changeHeadings = phrases(
        "liste des modifications", "liste des changements", "changements", "changements importants", "modifications",
        "principaux changements",
        "corrections de bugs", "corrections", "correctifs", "ameliorations", "nouveautes", "nouvelles fonctionnalites", "evolutions",
        "changelog", "problemes connus")

    /// Whether a heading begins a list of changes, also below the one of the procedure.
    static func isChangesHeading(_ words: [String]) -> Bool {
        guard !words.isEmpty, let phrase = changeHeadings.phrase(at: 0, of: words) else { return false }
        return words.count == phrase.count || words[phrase.count] == "entre"
    }

    private static let stateHeadings = phrases(
        "problemes connus", "probleme connu", "limitations", "points d attention", "a savoir", "avertissement")

    /// Whether the section of a heading is about the state of the release, so that it is read like a banner.
    static func isStateHeading(_ words: [String]) -> Bool { stateHeadings.isIn(words) }

    // MARK: The section on the procedure

    /// How a sentence of the section on the procedure is understood.
    enum Sentence: Hashable {
        /// To follow the standard procedure.
        case standard
        /// That there is nothing else to do.
        case nothingElse
        /// Anything else.
        case more
    }

    private static let follow = vocabulary(
        "suivre suivez suivra appliquer appliquez effectuer effectuez realiser realisez utiliser utilisez executer executez derouler"
            + " deroulez voir voyez consulter consultez respecter respectez reporter reportez referer referez")
    /// What may stand beside: closed, so that a sentence that also says something else is not taken for a mere pointer.
    private static let beside = vocabulary(
        "veuillez il suffit de d la le les l a au aux procedure procedures standard habituelle classique normale usuelle mise jour mettre"
            + " canopsis pour cette version vous se simplement ensuite puis en dans votre guide administration du uniquement seulement afin"
    )

    /// Which procedure: one of these is in it.
    private static let standard = vocabulary("standard habituelle classique normale usuelle jour")

    private static let nothing = vocabulary(
        "il n y a aucun aucune autre autres action actions manipulation manipulations operation operations etape etapes tache taches"
            + " intervention interventions demarche demarches supplementaire supplementaires particuliere particulieres particulier specifique"
            + " specifiques complementaire complementaires additionnelle additionnelles manuelle manuelles realiser effectuer faire prevoir"
            + " mener executer entreprendre pour mettre canopsis jour d de une un version versions la le l vers cette ce depuis est ne sont"
            + " necessaire necessaires requise requises requis attendue attendues demandee demandees pas rien plus necessite demande"
            + " requiert implique mise passer passage lors besoin avoir et entre apres que du en")
    private static let deeds = vocabulary(
        "action actions manipulation manipulations operation operations etape etapes tache taches intervention interventions demarche"
            + " demarches")
    /// What may stand between a negation and the deed that it denies.
    private static let denied = vocabulary(
        "d de autre autres une un la supplementaire supplementaires particuliere particulieres specifique specifiques complementaire")
    private static let nothingToDo = phrases("rien d autre a", "rien de plus a", "rien de particulier a", "rien a")

    /// Understands a sentence. `leads` are the targets of its links: a pointer elsewhere, such as to an older note, is more.
    static func understand(_ words: [String], leads: [String]) -> Sentence {
        if words.contains(where: follow.contains), words.contains(where: { $0.hasPrefix("procedure") }),
            words.contains(where: standard.contains), words.allSatisfy({ follow.contains($0) || beside.contains($0) }),
            leads.allSatisfy(isStandard)
        {
            return .standard
        }
        if words.allSatisfy({ nothing.contains($0) || isNumber($0) }), deniesEveryDeed(words) { return .nothingElse }
        return .more
    }

    /// Whether a link leads to the guide on upgrades and not to a note or a guide on migrating.
    static func isStandard(_ target: String) -> Bool {
        let path = target.prefix { $0 != "#" && $0 != "?" }
        return path.isEmpty || path.contains("mise-a-jour")
    }

    /// "aucune autre action", "pas d'autre étape", "rien à faire"; but not "ne pas mettre à jour", which denies no deed.
    private static func deniesEveryDeed(_ words: [String]) -> Bool {
        if nothingToDo.isIn(words) { return true }
        return words.indices.contains { index in
            guard words[index] == "aucune" || words[index] == "aucun" || words[index] == "pas" else { return false }
            return words[(index + 1)...].drop(while: denied.contains).first.map(deeds.contains) ?? false
        }
    }

    // MARK: Steps outside of it

    /// Kinds of notices that warn. `info`, `note`, `tip` and the like are read sentence by sentence.
    static let warnings = vocabulary(
        "attention warning danger caution important avertissement erreur error alerte bug failure fail critical critique")

    /// Words that ask for something wherever they stand: in a banner, or in the middle of a list of changes.
    static let demands = phrases(
        "vous devez", "vous devrez", "vous devriez", "devez vous", "il faut", "il faudra", "il vous faut", "il est necessaire de",
        "il est necessaire d", "il sera necessaire", "est il necessaire", "il est obligatoire", "il est imperatif", "il est indispensable",
        "il est important de", "il convient de", "il conviendra", "pensez a", "pensez bien", "n oubliez pas", "ne pas oublier",
        "ne oubliez pas",
        "assurez vous", "veillez a", "veuillez suivre", "veuillez executer", "veuillez appliquer", "veuillez verifier", "veuillez vous",
        "veuillez mettre", "veuillez modifier", "veuillez supprimer", "veuillez ajouter", "verifiez que", "verifiez si",
        "doit imperativement",
        "doivent imperativement", "doit obligatoirement", "doivent obligatoirement", "doit absolument", "executez", "relancez",
        "redemarrez",
        "ne mettez pas a jour", "ne pas mettre a jour", "ne pas installer", "n installez pas", "n effectuez pas", "n utilisez pas",
        "ne pas utiliser", "ne doit pas etre utilise", "ne doit pas etre utilisee", "ne doit pas etre installe",
        "ne doit pas etre installee", "action requise", "actions requises", "action necessaire", "intervention manuelle",
        "version minimale requise", "n est plus pris en charge", "n est plus prise en charge", "ne sont plus pris en charge",
        "ne sont plus prises en charge")

    /// Words that say that a release is not for everybody: only where the release itself is spoken of, which is a banner, a notice or
    /// a section on known problems. In a list of changes they tell of what was mended.
    static let cautions = phrases(
        "devez", "devrez", "doit etre", "doivent etre", "devra etre", "devront etre", "est necessaire", "sont necessaires", "obligatoire",
        "obligatoirement", "imperativement", "ne pas", "ne doit", "ne doivent", "n est pas compatible", "n est plus compatible",
        "ne sont pas compatibles", "ne sont plus compatibles", "incompatible", "incompatibles", "ne fonctionne pas", "ne fonctionne plus",
        "ne fonctionnent pas", "ne fonctionnent plus", "n est pas fonctionnel", "n est pas fonctionnelle", "n est plus fonctionnel",
        "n est pas exploitable", "n est pas utilisable", "inutilisable", "ne prend plus en charge", "ne prend pas en charge",
        "ne supporte plus", "n est pas supporte", "n est pas prise en charge", "n est pas pris en charge", "deconseille", "deconseillee",
        "est recommande", "nous vous conseillons", "nous vous recommandons", "a ete retire", "a ete retiree", "presente un bug",
        "presente une regression", "regression")

    /// Words of a sentence that only announces what a later release will bring, such as the end of Debian 8: nothing to do now.
    static let announcements = phrases(
        "les prochaines versions", "une prochaine version", "la prochaine version", "prochainement", "a l avenir",
        "dans une version future", "une version ulterieure")
    /// Beginnings of a sentence that goes on with an announcement and asks to prepare for it.
    static let preparations = phrases(
        "pensez a migrer", "pensez a prevoir", "pensez a planifier", "prevoyez", "anticipez", "nous vous conseillons de prevoir",
        "nous vous invitons a prevoir", "planifiez")

    /// Words before the first section of a note that takes its release back.
    static let withdrawals = phrases(
        "ne doit pas etre utilise", "ne doit pas etre utilisee", "ne doit pas etre installe", "ne doit pas etre installee",
        "n est pas exploitable", "n est pas utilisable", "ne pas utiliser", "ne pas installer", "a ete retire", "a ete retiree",
        "est inutilisable")

    /// Words behind a fence that say that a block is only to be looked at. Any other block outside the procedure may be a command, or
    /// lines for a configuration file, and a reader should see it.
    static let shown = vocabulary(
        "json text txt plain plaintext output console-output http html xml csv md markdown mermaid handlebars hbs log")
    /// Beginnings of lines that are commands whatever the fence says.
    static let commands = vocabulary(
        "sudo su systemctl apt apt-get yum dnf rpm dpkg canoctl canopsinit mongo mongosh mongodump mongorestore docker docker-compose psql"
            + " influx redis-cli rabbitmqctl rabbitmqadmin cp mv rm mkdir chown chmod sed vi vim nano echo cat source wget")

    // MARK: Dates

    /// Beginnings of words before the date of publication.
    static let publications = ["publi", "paru", "parution", "sorti", "disponible", "diffus", "date", "livr"]

    // MARK: Tables

    private static func vocabulary(_ words: String) -> Set<String> { Set(words.split(separator: " ").map(String.init)) }

    private static func phrases(_ texts: String...) -> Phrases { Phrases(texts) }

    /// Whether a word is a number, a version or a date.
    private static func isNumber(_ word: String) -> Bool { word.utf8.allSatisfy { (0x2d...0x39).contains($0) } }
}

/// Words in a row, any of which is looked for in one pass over a text.
struct Phrases: Sendable {
    /// The phrases by their first word.
    private let byFirst: [String: [[String]]]

    init(_ texts: [String]) {
        byFirst = Dictionary(grouping: texts.map { $0.split(separator: " ").map(String.init) }) { $0[0] }
    }

    /// Where one of them stands first, and which; nil if none does.
    func first(in words: [String]) -> (index: Int, phrase: [String])? {
        for index in words.indices {
            if let phrase = phrase(at: index, of: words) { return (index, phrase) }
        }
        return nil
    }

    /// Whether one of them stands in the words.
    func isIn(_ words: [String]) -> Bool { first(in: words) != nil }

    /// The longest of them that stands at this place.
    func phrase(at index: Int, of words: [String]) -> [String]? {
        (byFirst[words[index]] ?? []).filter { words[index...].starts(with: $0) }.max { $0.count < $1.count }
    }
}
