#pragma once

#include <string_view>

namespace assay {

/// Common English words, the ones a small vocabulary needs first.
inline constexpr std::string_view kCommonWords =
    "the of and to in is a that for it as was with be by on not he I his but at are this have from "
    "or had an they which one you were all her she there would their we him been has when who will "
    "no more if out so up two three four five six seven eight nine ten river light runs mountain "
    "our city down said what its about than into them can only other time new some could these may "
    "first then do any like my now over such man me even most made after also did many before must "
    "through years where much your way well should because each just those people how too "
    "little state good very make world still see own work men long here get both between life "
    "being under day never same another know while last might us great old year off come since "
    "against go came right used take question answer number word write explain list sentence text "
    "code model server token stream test data name water book paper letter story please using "
    "give three find think look want does house high every small large place again children side "
    "without once part live country school father keep thought head hand eyes night soon best "
    "often until began begin always together important example different between important system "
    "program function value result error file line user input output request response memory time "
    "speed second minute hour language computer machine learning science history describe compare "
    "summary summarize translate following correct option choose true false simple short step "
    "steps reason problem solve point points called usually number numbers add sum total left "
    "right many money price cost per cent day days week month year years old young big bigger "
    "start started stop end open close help need needs tell ask asked show shown turn read run "
    "move play moved something anything nothing everything someone why whether however although "
    "during within across around near far early late later still yet ever almost enough less least "
    "few several half next current general common public possible able sure clear free full real "
    "main whole";

/// Beginnings of lines and endings of words, for text that is no common word. The role names come
/// first so that nothing inside them is merged before them.
inline constexpr std::string_view kWordParts =
    "assistant user system The What How Why Write Please You It In This That A I An Is Are Can "
    "tion ing ment ness able ible ally ence ance ious ture ity ive ful est ers ter ver ent ant ion "
    "and ate age ous ist ism ish ght th ch sh ck er ed ly en on an re he in nd ha at es or nt ea "
    "ti "
    "to it st io le is ou ar as de rt ve al ic ll ss ee oo ai ow ay ey il el ol ul im om um am em "
    "ra ri ro ru la li lo lu ma mi mo mu me na ni no nu ne pa pi po pu pe sa si so su se ta te tu "
    "ca ci co cu ce ba bi bo bu be da di do du fa fi fo fu fe ga gi go gu ge 00 10 20 19 12 "
    "self def int str return import class print const void std include";

}  // namespace assay
