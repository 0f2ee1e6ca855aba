"""Which column of a table says what, by its name in French or English."""

from collections.abc import Sequence
from dataclasses import dataclass

from preprocessing.text import fold

ROLES = ("designation", "description", "image", "imageid", "productid", "id", "prdtypecode")

# Other names of each role, the likelier first: folded, letters and digits only. None stands under two roles,
# and none starts with "rayon": what an earlier result added says nothing about the product.
_SYNONYMS = {
    "designation": "designation designationproduit libelleproduit titre titreproduit title producttitle itemtitle nom "
    "nomproduit nomduproduit productname itemname name libelle libellearticle libelleduproduit intitule "
    "intituleproduit designationarticle nomarticle article shorttitle",
    "description": "description descriptif descriptionproduit descriptifproduit productdescription itemdescription "
    "longdescription descriptionlongue descriptiondetaillee descriptifdetaille body bodyhtml detail details "
    "productdetails texte text longtext shortdescription descriptioncourte desc",
    "image": "image images imagefile imagefilename imagename nomimage nomdelimage fichierimage fichiersimage "
    "nomfichierimage imagepath cheminimage photo photos fichierphoto nomphoto picture pictures picturefile picturename "
    "filename nomfichier nomdefichier fichier file visuel visuels illustration mainimage imageprincipale",
    "imageid": "imageid idimage identifiantimage imgid idimg pictureid idphoto photoid",
    "productid": "productid idproduit identifiantproduit idproduct prodid idprod itemid articleid idarticle",
    "id": "id identifiant identifier ref reference refproduit referenceproduit productref productreference sku "
    "codearticle codeproduit productcode ean ean13 codeean gtin gtin13 codebarres barcode index rowid unnamed0",
    "prdtypecode": "prdtypecode prdtype producttypecode producttype typeproduit typedeproduit codetypeproduit "
    "codecategorie categorycode categoryid idcategorie categoriecode categorieid categorie category categories "
    "categorieproduit productcategory label labels class classe target",
}
_MEANING = {synonym: (role, rank) for role, names in _SYNONYMS.items() for rank, synonym in enumerate(names.split())}


@dataclass(frozen=True, slots=True)
class Columns:
    """The column of the file for each role: its name as spelled there ("" for the unnamed index), or None."""

    designation: str | None = None
    description: str | None = None
    image: str | None = None
    imageid: str | None = None
    productid: str | None = None
    id: str | None = None
    prdtypecode: str | None = None


def match_columns(names: Sequence[str]) -> Columns:
    """Each role's column: its official name wins, then the likeliest synonym, then the first in the table.

    A column without name is the "id" when it is the first one, as in the challenge's files.
    """
    found: dict[str, tuple[tuple[bool, int], str]] = {}
    for position, name in enumerate(names):
        role, rank = _meaning(name, position)
        merit = name != role, rank
        if role and (role not in found or merit < found[role][0]):
            found[role] = merit, name
    return Columns(**{role: name for role, (_, name) in found.items()})


def _meaning(name: str, position: int) -> tuple[str | None, int]:
    if not name:
        return ("id" if position == 0 else None), len(_MEANING)
    key = "".join(filter(str.isalnum, fold(name).text))
    return _MEANING.get(key, (None, 0))
